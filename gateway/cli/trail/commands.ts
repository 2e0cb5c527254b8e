/** `porthouse why`: options and help. */
import type { Command } from 'commander'
import { onGateway } from '../admin-options.ts'

export function whyCommand(command: Command): void {
  onGateway(command)
    .description('why a message went where it went, or nowhere: each step, and what decided')
    .option('--send <addresses...>', 'in place of ID: of a message to these, were it sent now')
    .option('--account <name>', "its sender's account, where no other option says it")
    .option('--as <client>', 'by what this client is known by')
    .option('--token-id <id>', 'by this token')
    .option('--key', "by the account's connection key")
    .option('--socket <id>', 'by a socket that is connected, from where it is')
    .option('--text <text>', 'what it says')
    .option('--bytes <n>', 'or how much of it there is')
    .option('--content-type <type>', 'of what kind it is said to be')
    .addHelpText(
      'after',
      `
ID is in the receipt of a message, of one that was rejected too. The gateway keeps paths for a
while: see why.messages and why.ageMs. ADDRESS is ACCOUNT/ROOM, ACCOUNT/ROOM/CHANNEL,
client:ACCOUNT/CLIENT or any other that a message may have. With --send nothing is sent; without
--as, --token-id, --key or --socket by somebody who has proved nothing.

Examples:
  $ porthouse why 0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b
  $ porthouse why --send acme/boiler/temp --as bob --bytes 2000
  $ porthouse why --send acme/boiler --token-id ID --text 21.5 --json`,
    )
    .action(async (id, options) => (await import('./why.ts')).why(id, options))
}
