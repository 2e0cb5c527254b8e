/** `porthouse token …`: options and help. */
import { type Command, Option } from 'commander'
import { METHODS } from '../../store/store.ts'
import { onGateway } from '../admin-options.ts'
import { EXPIRES, GRANT, gather } from '../store-options.ts'

export function tokenCommands(token: Command): void {
  const load = () => import('./token.ts')
  token.addHelpText(
    'after',
    `
Examples:
  $ porthouse token create acme --room boiler:send,receive --expires 30d
  $ porthouse token create acme --room boiler:receive --room lounge:send --client bob --json
  $ porthouse token create acme --room boiler:send:log,alarm --rate 10/s:50 --max-connections 3
  $ porthouse token regenerate ID --json`,
  )
  createCommand(token)
  onGateway(token.command('list <account>'))
    .description('list the tokens of an account, without secrets')
    .action(async (account, options) => (await load()).listTokens(account, options))
  onGateway(token.command('show <id>'))
    .description('show a token, without its secret')
    .action(async (id, options) => (await load()).showToken(id, options))
  withTerms(onGateway(token.command('update <id>')))
    .description('give a token other terms; those that are not named stay')
    .action(async (id, options) => (await load()).updateToken(id, options))
  onGateway(token.command('grant <id>'))
    .description('give a token more rights; what it has already stays')
    .requiredOption(...GRANT, gather)
    .action(async (id, options) => (await load()).grantToken(id, options))
  onGateway(token.command('ungrant <id> <room>'))
    .description('take all rights in a room from a token')
    .action(async (id, room, options) => (await load()).ungrantToken(id, room, options))
  onGateway(token.command('regenerate <id>'))
    .description('give a token another secret; the old one is void at once')
    .action(async (id, options) => (await load()).regenerateToken(id, options))
  onGateway(token.command('revoke <id>'))
    .description('make the secret of a token void: its sockets are dropped, its record stays')
    .action(async (id, options) => (await load()).revokeToken(id, options))
  onGateway(token.command('delete <id>'))
    .description('the same, and nothing of it stays')
    .action(async (id, options) => (await load()).deleteToken(id, options))
}

function createCommand(token: Command): void {
  withTerms(onGateway(token.command('create <account>')))
    .description('make a token; its secret is shown once and kept nowhere')
    .requiredOption(...GRANT, gather)
    .option('--client <name>', 'the client that its sockets act as, made if it is new')
    .action(async (account, options) => (await import('./token.ts')).createToken(account, options))
}

function withTerms(command: Command): Command {
  return command
    .option('--expires <when>', EXPIRES)
    .addOption(
      new Option('--method <method>', 'what its messages must be (default: any)').choices(METHODS),
    )
    .option(
      '--rate <n/s:burst>',
      'messages a second and how many at once, all connections together',
    )
    .option('--max-connections <n>', 'live connections it may have, each with a number of its own')
}
