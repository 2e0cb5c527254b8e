/** `porthouse backup` and `porthouse restore`: options and help. */
import type { Command } from 'commander'
import { onStore } from './store-options.ts'

export function backupCommands(program: Command): void {
  onStore(program.command('backup <file>'))
    .description('write all that the store has to a file, while gateways use it; - is stdout')
    .option('--without-secrets', 'leave out whatever somebody could log in with')
    .addHelpText(
      'after',
      `
Examples:
  $ porthouse backup /backups/monday.porthouse
  $ porthouse backup - | ssh elsewhere 'cat > monday.porthouse'
  $ DATABASE_URL=postgres://… porthouse backup monday.porthouse --json`,
    )
    .action(async (file, options) => (await import('./backup.ts')).backup(file, options))
  onStore(program.command('restore <file>'))
    .description('bring a backup back into an empty store, all of it or nothing; - is stdin')
    .option('--replace', 'delete first what the store has')
    .addHelpText(
      'after',
      `
No gateway may use the store meanwhile. Clients are told that positions they know are void.

Examples:
  $ porthouse restore monday.porthouse --data /var/lib/porthouse
  $ porthouse restore monday.porthouse --replace`,
    )
    .action(async (file, options) => (await import('./backup.ts')).restore(file, options))
}
