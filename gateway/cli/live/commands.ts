/** Commands on what is live in a gateway: options and help. */
import type { Command } from 'commander'
import { onGateway } from '../admin-options.ts'

export function liveCommands(program: Command): void {
  socketCommands(program.command('socket').description('sockets: who is connected, and where'))
  graphCommands(program.command('graph').description('who is where, walked from any end'))
  statsCommands(program.command('stats').description('how much is where, and who is slow'))
  onGateway(program.command('top [of]'))
    .description('a live view of all, of ACCOUNT or of ACCOUNT/ROOM: rooms, rates, slow consumers')
    .option('--interval <seconds>', 'how often it is shown anew', '2')
    .option('--rooms <n>', 'rooms that are shown, at most 100', '20')
    .option('--count <n>', 'end after so many views')
    .action(async (of, options) => (await import('./top.ts')).top(of, options))
  technicalCommands(program.command('technical').description('what happens to sockets, live'))
  messageCommands(program.command('message').description('what rooms keep, and who read it'))
  serverCommands(program.command('server').description('the gateway itself, as it runs'))
}

function socketCommands(socket: Command): void {
  const load = () => import('./socket.ts')
  socket.addHelpText(
    'after',
    `
Examples:
  $ porthouse socket list acme --room acme/field
  $ porthouse socket list --locked --watch
  $ porthouse socket drop SOCKET --reason 'moved house'`,
  )
  onGateway(socket.command('list [account]'))
    .description('list live sockets, of all accounts or of one')
    .option('--room <account/room>', 'only those in this room')
    .option('--client <account/client>', 'only those of this client')
    .option('--token <id>', 'only those of this token of the account')
    .option('--locked', 'only those that stand at a lock')
    .option('--watch', 'and go on with what changes: + opened, ~ changed, - closed')
    .action(async (account, options) => (await load()).listSockets(account, options))
  onGateway(socket.command('show <socket>'))
    .description('show a socket with its rooms and its locks')
    .action(async (name, options) => (await load()).showSocket(name, options))
  onGateway(socket.command('move <socket> <account/room>'))
    .description('take a socket to a room, whose locks it meets')
    .option('--from <account/room>', 'and out of this one, once it is there')
    .action(async (name, room, options) => (await load()).moveSocket(name, room, options))
  onGateway(socket.command('drop <socket>'))
    .description('end a socket')
    .option('--reason <text>', 'what it is told')
    .action(async (name, options) => (await load()).dropSocket(name, options))
}

function graphCommands(graph: Command): void {
  const load = () => import('./graph.ts')
  graph.addHelpText(
    'after',
    `
FROM is ACCOUNT/ROOM, client:ACCOUNT/CLIENT, token:ACCOUNT/ID or socket:ID.

Examples:
  $ porthouse graph clients acme/field
  $ porthouse graph rooms client:acme/bob`,
  )
  onGateway(graph.command('sockets <from>'))
    .description('sockets of a room, a client or a token')
    .action(async (from, options) => (await load()).graphSockets(from, options))
  onGateway(graph.command('rooms <from>'))
    .description('rooms that a client or a socket is in')
    .action(async (from, options) => (await load()).graphRooms(from, options))
  onGateway(graph.command('clients <from>'))
    .description('clients and tokens in a room, or that a socket is')
    .action(async (from, options) => (await load()).graphClients(from, options))
  onGateway(graph.command('groups <account/room>'))
    .description('groups of a room')
    .action(async (room, options) => (await load()).graphGroups(room, options))
  onGateway(graph.command('members <account/room> <group>'))
    .description('who is in a group')
    .action(async (room, group, options) => (await load()).graphMembers(room, group, options))
}

function statsCommands(stats: Command): void {
  const load = () => import('./stats.ts')
  stats.addHelpText(
    'after',
    `
Examples:
  $ porthouse stats show acme/field --channel pressure
  $ porthouse stats slow`,
  )
  onGateway(stats.command('show [of]'))
    .description('show the stats of all, of ACCOUNT or of ACCOUNT/ROOM')
    .option('--channel <channel>', 'of this channel of the room')
    .action(async (of, options) => (await load()).showStats(of, options))
  onGateway(stats.command('list [of]'))
    .description('list the rooms that are loaded, or with ACCOUNT/ROOM its channels')
    .action(async (of, options) => (await load()).listStats(of, options))
  onGateway(stats.command('slow [account]'))
    .description('list who does not keep up, the slowest first, and what he is stuck in')
    .action(async (account, options) => (await load()).listSlow(account, options))
}

function technicalCommands(technical: Command): void {
  const load = () => import('./technical.ts')
  onGateway(technical.command('watch [account]'))
    .description('tell events as they happen, of all accounts or of one')
    .option('--count <n>', 'end after so many')
    .action(async (account, options) => (await load()).watchTechnical(account, options))
  onGateway(technical.command('announce <account> <text>'))
    .description('tell a notice to the sockets of an account, or with - to all')
    .action(async (account, text, options) => (await load()).announce(account, text, options))
}

function messageCommands(message: Command): void {
  const load = () => import('./message.ts')
  onGateway(message.command('fetch <account/room>'))
    .description('the last messages that a room keeps, without entering it')
    .option('--channel <channel>', 'of this channel, or a filter')
    .option('--last <n>', 'so many', '20')
    .action(async (room, options) => (await load()).fetchMessages(room, options))
  onGateway(message.command('cursors <account/room>'))
    .description('how far who has read')
    .action(async (room, options) => (await load()).listCursors(room, options))
}

function serverCommands(server: Command): void {
  const load = () => import('./server.ts')
  server.addHelpText(
    'after',
    `
Examples:
  $ porthouse server log-level debug --subsystem mqtt --for 10m
  $ porthouse server drain -`,
  )
  onGateway(server.command('show'))
    .description('what the gateway is, does and warns of')
    .action(async (options) => (await load()).showServer(options))
  onGateway(server.command('config'))
    .description('the settings that it runs by, without secrets')
    .action(async (options) => (await load()).showSettings(options))
  onGateway(server.command('log-level <level>'))
    .description('log more or less for a while')
    .option('--subsystem <name>', 'only session, locks, mqtt, http, admin, store or programs')
    .option('--for <span>', 'how long, such as 10m; it falls back then')
    .action(async (level, options) => (await load()).setLogLevel(level, options))
  onGateway(server.command('drain <account>'))
    .description('tell the sockets of an account to reconnect; with - the gateway ends in order')
    .option('--reason <text>', 'what they are told')
    .option('--dry-run', 'only say what would be done')
    .action(async (account, options) => (await load()).drain(account, options))
}
