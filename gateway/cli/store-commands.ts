/** `porthouse account|room|token`: options and help. */
import { type Command, Option } from 'commander'
import { LOCKS, SLOW_POLICIES } from './room-options.ts'

export function storeCommands(program: Command): void {
  accountCommands(program.command('account').description('accounts: owners of rooms and tokens'))
  roomCommands(program.command('room').description('rooms: named places of an account'))
  tokenCommands(program.command('token').description('tokens: secrets that open rooms'))
}

function accountCommands(account: Command): void {
  const load = () => import('./account.ts')
  account.addHelpText('after', '\nExample:\n  $ porthouse account create acme')
  onStore(account.command('create <name>'))
    .description('make an account; NAME is of a-z, 0-9 and -')
    .action(async (name, options) => (await load()).createAccount(name, options))
  onStore(account.command('list'))
    .description('list all accounts')
    .action(async (options) => (await load()).listAccounts(options))
  onStore(account.command('show <name>'))
    .description('show an account; NAME may be its UUID')
    .action(async (name, options) => (await load()).showAccount(name, options))
  onStore(account.command('delete <name>'))
    .description('delete an account with all its rooms and tokens')
    .action(async (name, options) => (await load()).deleteAccount(name, options))
}

function roomCommands(room: Command): void {
  const load = () => import('./room.ts')
  room.addHelpText(
    'after',
    `
Examples:
  $ porthouse room create acme/boiler --slow drop-oldest
  $ porthouse room create acme/lounge --open --echo
  $ porthouse room list acme`,
  )
  onStore(room.command('create <account/room>'), 'data')
    .description('make a room; a token opens it, unless --open')
    .option('--open', 'whoever connects may send and listen')
    .addOption(new Option('--lock <acceptors...>', 'locks to resolve, in order').choices(LOCKS))
    .option('--echo', 'senders hear their own messages')
    .addOption(
      new Option('--slow <policy>', 'what slow readers lose (default disconnect)').choices(
        SLOW_POLICIES,
      ),
    )
    .option('--config <file>', "the room's config as Protobuf JSON (porthouse.room.v1.Config)")
    .action(async (name, options) => (await load()).createRoom(name, options))
  onStore(room.command('list <account>'))
    .description('list the rooms of an account')
    .action(async (account, options) => (await load()).listRooms(account, options))
  onStore(room.command('show <account/room>'))
    .description('show a room with its config')
    .action(async (name, options) => (await load()).showRoom(name, options))
  onStore(room.command('delete <account/room>'))
    .description('delete a room')
    .action(async (name, options) => (await load()).deleteRoom(name, options))
}

function tokenCommands(token: Command): void {
  const load = () => import('./token.ts')
  token.addHelpText(
    'after',
    `
Examples:
  $ porthouse token create acme --room boiler:send,receive --expires 30d
  $ porthouse token create acme --room boiler:receive --room lounge:send --client bob --json`,
  )
  onStore(token.command('create <account>'))
    .description('make a token; its secret is shown once and kept nowhere')
    .requiredOption('--room <room:rights>', 'a room and send, receive or both; repeatable', gather)
    .option('--client <name>', 'the client that its sockets act as, made if it is new')
    .option('--expires <when>', 'a span such as 30d (s, m, h, d, w) or an ISO 8601 time')
    .action(async (account, options) => (await load()).createToken(account, options))
  onStore(token.command('list <account>'))
    .description('list the tokens of an account, without secrets')
    .action(async (account, options) => (await load()).listTokens(account, options))
  onStore(token.command('show <id>'))
    .description('show a token, without its secret')
    .action(async (id, options) => (await load()).showToken(id, options))
  onStore(token.command('delete <id>'))
    .description('delete a token')
    .action(async (id, options) => (await load()).deleteToken(id, options))
}

/** Where the store is. Where `--config` has another meaning, PORTHOUSE_CONFIG names the file. */
function onStore(command: Command, where: 'data' | 'config and data' = 'config and data'): Command {
  if (where !== 'data') command.option('--config <file>', 'JSON file with the settings')
  return command
    .option('--data <dir>', "the gateway's data folder")
    .option('--json', 'one JSON document on stdout; a failure as one on stderr')
}

function gather(value: string, before: string[] = []): string[] {
  return [...before, value]
}
