/** `porthouse offender …`: options and help. */
import type { Command } from 'commander'
import { onGateway } from '../admin-options.ts'

export function offenderCommands(offender: Command): void {
  const load = () => import('./offender.ts')
  offender.addHelpText(
    'after',
    `
Examples:
  $ porthouse offender list
  $ porthouse offender clear address:203.0.113.0/24`,
  )
  onGateway(offender.command('list'))
    .description('list who gave wrong answers, the latest first')
    .option('--account <account>', "only those who claimed to be of this account's clients")
    .action(async (options) => (await load()).listOffenders(options))
  onGateway(offender.command('clear [subject]'))
    .description('forgive SUBJECT, as the list has it, or --all')
    .option('--account <account>', "only of those who claimed to be of this account's clients")
    .option('--all', 'forgive everybody')
    .action(async (subject, options) => (await load()).clearOffenders(subject, options))
}
