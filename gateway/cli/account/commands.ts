/** `porthouse account …`: options and help. */
import type { Command } from 'commander'
import { onGateway } from '../admin-options.ts'
import { EXPIRES } from '../store-options.ts'

export function accountCommands(account: Command): void {
  const load = () => import('./account.ts')
  account.addHelpText(
    'after',
    `
Examples:
  $ porthouse account create acme
  $ porthouse account key create acme --label 'the office' --expires 365d`,
  )
  onGateway(account.command('create <name>'))
    .description('make an account; NAME is of a-z, 0-9 and -')
    .action(async (name, options) => (await load()).createAccount(name, options))
  onGateway(account.command('list'))
    .description('list all accounts')
    .action(async (options) => (await load()).listAccounts(options))
  onGateway(account.command('show <account>'))
    .description('show an account; ACCOUNT may be its UUID')
    .action(async (name, options) => (await load()).showAccount(name, options))
  onGateway(account.command('delete <account>'))
    .description('delete an account with all its rooms, clients, keys and tokens')
    .action(async (name, options) => (await load()).deleteAccount(name, options))
  keyCommands(account.command('key').description('connection keys: who has one is the account'))
}

function keyCommands(key: Command): void {
  const load = () => import('./key.ts')
  key.addHelpText(
    'after',
    `
A key is changed in two steps: rotate it, then give the new one to whoever uses it; the old one is
good until the overlap ends.

Examples:
  $ porthouse account key create acme --json
  $ porthouse account key rotate acme KEY --overlap 7d
  $ porthouse account key revoke acme KEY`,
  )
  onGateway(key.command('create <account>'))
    .description('make a connection key; its secret is shown once and kept nowhere')
    .option('--label <text>', 'what it is for, at most 128 characters')
    .option('--expires <when>', EXPIRES)
    .action(async (account, options) => (await load()).createKey(account, options))
  onGateway(key.command('list <account>'))
    .description('list the connection keys of an account, without secrets')
    .action(async (account, options) => (await load()).listKeys(account, options))
  onGateway(key.command('rotate <account> <key>'))
    .description('make a new key in place of KEY (its id), which ends after the overlap')
    .option('--overlap <span>', 'how long the old one is still good', '24h')
    .option('--expires <when>', `when the new one ends: ${EXPIRES}`)
    .action(async (account, id, options) => (await load()).rotateKey(account, id, options))
  onGateway(key.command('revoke <account> <key>'))
    .description('end a key at once, given by its id')
    .action(async (account, id, options) => (await load()).revokeKey(account, id, options))
}
