/** `porthouse api-key …`: options and help. */
import { type Command, Option } from 'commander'
import { onGateway } from '../admin-options.ts'
import { EXPIRES } from '../store-options.ts'

export function apiKeyCommands(key: Command): void {
  const load = () => import('./api-key.ts')
  key.addHelpText(
    'after',
    `
ACCOUNT is the account that a key administers, or - for the gateway with all of its accounts.
A key opens no socket; for that there are tokens and connection keys.

Examples:
  $ porthouse api-key create acme --role admin --label ci --json
  $ porthouse api-key create - --role auditor
  $ porthouse api-key delete acme KEY`,
  )
  onGateway(key.command('create <account>'))
    .description('make an API key; its secret is shown once and kept nowhere')
    .addOption(
      new Option('--role <role>', 'what it may do; operator: of the gateway alone')
        .choices(['operator', 'owner', 'admin', 'auditor'])
        .makeOptionMandatory(),
    )
    .option('--label <text>', 'what it is for, at most 128 characters')
    .option('--expires <when>', EXPIRES)
    .action(async (account, options) => (await load()).createApiKey(account, options))
  onGateway(key.command('list <account>'))
    .description('list API keys, without secrets')
    .action(async (account, options) => (await load()).listApiKeys(account, options))
  onGateway(key.command('delete <account> <key>'))
    .description('end a key at once, given by its id')
    .action(async (account, id, options) => (await load()).deleteApiKey(account, id, options))
}
