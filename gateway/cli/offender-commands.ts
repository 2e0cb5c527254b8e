/** `porthouse offender …`: options and help. */
import type { Command } from 'commander'
import { onStore } from './store-options.ts'

export function offenderCommands(offender: Command): void {
  const load = () => import('./offender.ts')
  offender.addHelpText(
    'after',
    `
Examples:
  $ porthouse offender list
  $ porthouse offender clear address:203.0.113.0/24`,
  )
  onStore(offender.command('list'))
    .description('list who gave wrong answers, the latest first')
    .action(async (options) => (await load()).listOffenders(options))
  onStore(offender.command('clear [subject]'))
    .description('forgive SUBJECT, as the list has it, or --all')
    .option('--all', 'forgive everybody')
    .action(async (subject, options) => (await load()).clearOffenders(subject, options))
}
