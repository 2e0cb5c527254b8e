/** `porthouse audit …`: options and help. */
import type { Command } from 'commander'
import { onGateway } from '../admin-options.ts'

export function auditCommands(audit: Command): void {
  audit.addHelpText(
    'after',
    `
Examples:
  $ porthouse audit list
  $ porthouse audit list acme --method TokenService/CreateToken --last 10 --json`,
  )
  onGateway(audit.command('list [account]'))
    .description('list what was changed, or tried, by whom: the latest first')
    .option('--principal <who>', 'only what this one did, such as operator or apiKeys/ID')
    .option('--method <method>', 'only by this method, such as RoomService/UpdateRoom')
    .option('--resource <name>', 'only what was done to this, such as accounts/acme/rooms/field')
    .option('--last <n>', 'the latest so many', '100')
    .action(async (account, options) => (await import('./audit.ts')).listAudit(account, options))
}
