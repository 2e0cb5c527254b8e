/** `porthouse client …`: options and help. */
import type { Command } from 'commander'
import { onGateway } from '../admin-options.ts'
import { GRANT, gather } from '../store-options.ts'

const PROOFS = `
Passwords and responses are never printed, and only what checks them is kept. In place of
--preset CHALLENGE:RESPONSE, which other users of the machine can see, --preset - reads the same
from stdin. A client has one password and one preset; a new one takes the place of the old.
`

export function identityCommands(client: Command): void {
  client.addHelpText(
    'after',
    `
Examples:
  $ porthouse client create acme/bob --ssh-key bob.pub --room boiler:send,receive
  $ porthouse client grant acme/bob --room lounge:receive
  $ porthouse client key add acme/bob --password-stdin < password.txt`,
  )
  recordCommands(client)
  rightsCommands(client)
  keyCommands(client.command('key').description('what a client proves itself by'))
}

function recordCommands(client: Command): void {
  const load = () => import('./client.ts')
  withProofs(onGateway(client.command('create <account/client>')))
    .description('make a client, with what it proves itself by and what it may do')
    .option(...GRANT, gather)
    .option('--max-sockets <n>', 'sockets it may have; 1: the newer takes over (default: any)')
    .addHelpText('after', PROOFS)
    .action(async (name, options) => (await load()).createClient(name, options))
  onGateway(client.command('list <account>'))
    .description('list the clients of an account')
    .action(async (account, options) => (await load()).listClients(account, options))
  onGateway(client.command('show <account/client>'))
    .description('show a client with its keys, without secrets')
    .action(async (name, options) => (await load()).showClient(name, options))
  onGateway(client.command('update <account/client>'))
    .description('change how many sockets a client may have')
    .requiredOption('--max-sockets <n>', 'sockets it may have; any: no bound')
    .action(async (name, options) => (await load()).updateClient(name, options))
  onGateway(client.command('delete <account/client>'))
    .description('delete a client with its keys and tokens')
    .action(async (name, options) => (await load()).deleteClient(name, options))
}

function rightsCommands(client: Command): void {
  const load = () => import('./client.ts')
  onGateway(client.command('grant <account/client>'))
    .description('give a client more rights; what it has already stays')
    .requiredOption(...GRANT, gather)
    .action(async (name, options) => (await load()).grantClient(name, options))
  onGateway(client.command('revoke-room <account/client> <room>'))
    .description('take all rights in a room from a client')
    .action(async (name, room, options) => (await load()).revokeRoom(name, room, options))
}

function keyCommands(key: Command): void {
  const load = () => import('./key.ts')
  withProofs(onGateway(key.command('add <account/client>')))
    .description('give a client SSH keys, a password or a preset')
    .addHelpText('after', PROOFS)
    .action(async (name, options) => (await load()).addKeys(name, options))
  onGateway(key.command('list <account/client>'))
    .description('list what a client proves itself by, without secrets')
    .action(async (name, options) => (await load()).listKeys(name, options))
  onGateway(key.command('remove <account/client> <key>'))
    .description('remove a key, password or preset, given by its id')
    .action(async (name, id, options) => (await load()).removeKey(name, id, options))
}

function withProofs(command: Command): Command {
  return command
    .option('--ssh-key <file>', 'a public key as ssh-keygen writes it; repeatable', gather)
    .option('--password-stdin', 'a password: all of stdin, but for the end of its last line')
    .option('--preset <challenge:response>', 'what a device is asked, and what it answers')
}
