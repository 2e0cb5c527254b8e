/** `porthouse room …`: options and help. */
import { type Command, Option } from 'commander'
import { SLOW_POLICIES } from './room-options.ts'
import { onStore } from './store-options.ts'

export function roomCommands(room: Command): void {
  const load = () => import('./room.ts')
  room.addHelpText(
    'after',
    `
Examples:
  $ porthouse room create acme/boiler --slow drop-oldest
  $ porthouse room create acme/lounge --open --echo
  $ porthouse room create acme/vault --lock ssh-key
  $ porthouse room list acme`,
  )
  onStore(room.command('create <account/room>'), 'data')
    .description('make a room; a token opens it, unless --open or --lock')
    .option('--open', 'whoever connects may send and listen')
    .option('--lock <acceptors...>', 'locks to resolve, all of them, in order')
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
    .option('--reveal', 'show the secrets in it too')
    .action(async (name, options) => (await load()).showRoom(name, options))
  onStore(room.command('delete <account/room>'))
    .description('delete a room')
    .action(async (name, options) => (await load()).deleteRoom(name, options))
  configCommands(room.command('config').description("a room's config, as a file has it"))
}

function configCommands(config: Command): void {
  const load = () => import('./room.ts')
  onStore(config.command('show <account/room>'))
    .description('print the config as Protobuf JSON')
    .option('--reveal', 'show the secrets in it too, so that it may be set again')
    .action(async (name, options) => (await load()).showConfig(name, options))
  onStore(config.command('set <account/room> <file>'))
    .description('give a room the config of a file, or of stdin where it is -')
    .action(async (name, file, options) => (await load()).setConfig(name, file, options))
}
