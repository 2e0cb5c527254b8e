/** Commands on who administers: keys, the audit log, and what this user is logged in to. */
import type { Command } from 'commander'
import { apiKeyCommands } from './api-key-commands.ts'
import { auditCommands } from './audit-commands.ts'
import { profileCommands } from './profile-commands.ts'

export function accessCommands(program: Command): void {
  profileCommands(program)
  apiKeyCommands(program.command('api-key').description('API keys: what programs administer with'))
  auditCommands(program.command('audit').description('the audit log: who changed what'))
}
