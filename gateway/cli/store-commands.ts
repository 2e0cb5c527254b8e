/** Commands on what the gateway remembers. */
import type { Command } from 'commander'
import { accountCommands } from './account/commands.ts'
import { backupCommands } from './backup-commands.ts'
import { identityCommands } from './client/commands.ts'
import { lockCommands } from './lock/commands.ts'
import { offenderCommands } from './offender/commands.ts'
import { roomCommands } from './room/commands.ts'
import { tokenCommands } from './token/commands.ts'

export function storeCommands(program: Command): void {
  accountCommands(program.command('account').description('accounts: owners of all that follows'))
  roomCommands(program.command('room').description('rooms: named places of an account'))
  identityCommands(program.command('client').description('clients: identities of an account'))
  tokenCommands(program.command('token').description('tokens: secrets that open rooms'))
  lockCommands(program.command('lock').description('locks: what guards a place'))
  offenderCommands(
    program.command('offender').description('who gave wrong answers to the teleprinter'),
  )
  backupCommands(program)
}
