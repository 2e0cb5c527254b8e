/** `porthouse room …`: options and help. */
import { type Command, Option } from 'commander'
import { onGateway } from '../admin-options.ts'
import { HISTORIES, RETAINED, SLOW_POLICIES } from './options.ts'

export function roomCommands(room: Command): void {
  const load = () => import('./room.ts')
  room.addHelpText(
    'after',
    `
Examples:
  $ porthouse room create acme/board --history durable
  $ porthouse room create acme/table --open --history window --retain all --slow conflate
  $ porthouse room create acme/lounge --open --echo
  $ porthouse room create acme/vault --lock ssh-key
  $ porthouse room list acme`,
  )
  createCommand(room.command('create <account/room>'))
  onGateway(room.command('list <account>'))
    .description('list the rooms of an account')
    .action(async (account, options) => (await load()).listRooms(account, options))
  onGateway(room.command('show <account/room>'))
    .description('show a room with its config')
    .option('--reveal', 'show the secrets in it too')
    .action(async (name, options) => (await load()).showRoom(name, options))
  onGateway(room.command('delete <account/room>'))
    .description('delete a room')
    .action(async (name, options) => (await load()).deleteRoom(name, options))
  revisionCommands(room)
  configCommands(room.command('config').description("a room's config, as a file has it"))
}

function createCommand(create: Command): void {
  onGateway(create, 'data')
    .description('make a room; a token opens it, unless --open, --lock or --devices')
    .option('--open', 'whoever connects may send and listen')
    .option('--lock <acceptors...>', 'locks to resolve, all of them, in order')
    .option('--devices', 'of devices: a token or an SSH key opens it, a retained value is kept')
    .option('--echo', 'senders hear their own messages')
    .addOption(
      oneOf('--slow <policy>', 'what slow readers lose (default disconnect)', SLOW_POLICIES),
    )
    .addOption(oneOf('--history <kind>', 'what is kept of messages (default none)', HISTORIES))
    .option('--session-history', 'what a connection sends is replayed to newcomers while it lasts')
    .addOption(oneOf('--retain <which>', "each channel's last message is kept", RETAINED))
    .option('--presence', 'members see each other come and go')
    .option('--json-schema <file>', 'messages are JSON of this schema')
    .option('--protobuf <file>', 'messages are Protobuf of a type in this descriptor set')
    .option('--type <name>', 'which type of --protobuf')
    .option('--config <file>', "the room's config as Protobuf JSON (porthouse.room.v1.Config)")
    .addHelpText(
      'after',
      `
What is kept: --history window has the last messages in memory, for connections that were cut;
durable has all of them in the store, before anybody hears them, and what each client has not read.
More blocks, such as retention, stand in a file: docs/rooms/blocks.md.

Examples:
  $ porthouse room create acme/board --history durable --presence
  $ porthouse room create acme/canvas --open --session-history
  $ porthouse room create acme/field --devices
  $ porthouse room create acme/table --open --history window --retain all --slow conflate
  $ porthouse room create acme/plant --lock ssh-key --json-schema reading.json`,
    )
    .action(async (name, options) => (await import('./room.ts')).createRoom(name, options))
}

function oneOf(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices)
}

function revisionCommands(room: Command): void {
  const load = () => import('./revisions.ts')
  onGateway(room.command('revisions <account/room>'))
    .description('list the configs that a room has had, the latest first')
    .action(async (name, options) => (await load()).listRevisions(name, options))
  onGateway(room.command('diff <account/room> [from] [to]'))
    .description('show what differs between two revisions; without them, the last change')
    .option('--reveal', 'show the secrets in it too')
    .action(async (name, from, to, options) =>
      (await load()).diffRevisions(name, from, to, options),
    )
  onGateway(room.command('rollback <account/room> <revision>'))
    .description('give a room the config of an earlier revision, as a new one')
    .action(async (name, revision, options) => (await load()).rollBack(name, revision, options))
}

function configCommands(config: Command): void {
  const load = () => import('./settings.ts')
  onGateway(config.command('show <account/room>'))
    .description('print the config as Protobuf JSON')
    .option('--reveal', 'show the secrets in it too, so that it may be set again')
    .action(async (name, options) => (await load()).showConfig(name, options))
  onGateway(config.command('set <account/room> <file>'))
    .description('give a room the config of a file, or of stdin where it is -')
    .action(async (name, file, options) => (await load()).setConfig(name, file, options))
  onGateway(config.command('check <account> <file>'))
    .description('tell every fault of a config in a file, or of stdin where it is -; saves nothing')
    .action(async (account, file, options) => (await load()).checkConfig(account, file, options))
}
