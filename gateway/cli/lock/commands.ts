/** `porthouse lock …`: options and help. */
import type { Command } from 'commander'
import { onGateway } from '../admin-options.ts'

export function lockCommands(lock: Command): void {
  lock.addHelpText('after', '\nExample:\n  $ porthouse lock explain acme/boiler --as bob')
  onGateway(lock.command('explain <address>'))
    .description('a dry run: the locks that a socket would meet there, and where it would end')
    .option('--as <client>', 'as a socket that has proved all that this client is known by')
    .option('--token-id <id>', 'as a socket that has proved this token')
    .option('--key', "as a socket that has proved the account's connection key")
    .addHelpText(
      'after',
      `
ADDRESS is ACCOUNT/ROOM, ACCOUNT/ROOM/CHANNEL or lobby:ACCOUNT. --as, --token-id and --key may be
given together: the socket then has proved all of them. Nothing is sent, and nobody is asked.`,
    )
    .action(async (address, options) => (await import('./explain.ts')).explain(address, options))
  onGateway(lock.command('acceptors'))
    .description('list the acceptors that a lock may name, and what each proves')
    .action(async (options) => (await import('./acceptors.ts')).listAcceptors(options))
}
