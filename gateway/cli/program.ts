/** The command line as a whole: its commands, what ends it, and how it fails. */
import { Command, CommanderError } from 'commander'
import { VERSION } from '../observe/version.ts'
import { accessCommands } from './access/commands.ts'
import { clientCommands } from './client-commands.ts'
import { completionCommands } from './completion/commands.ts'
import { EXIT, report, usage } from './failure.ts'
import { gatewayCommands } from './gateway-commands.ts'
import { liveCommands } from './live/commands.ts'
import { endWithReader } from './output.ts'
import { storeCommands } from './store-commands.ts'

const HELP = `
Exit codes: 0 done, 1 could not be done, 2 wrong usage or config, 3 refused by the gateway,
4 gateway or store away, 5 timed out. More in docs/cli.md.

Examples:
  $ porthouse run --demo
  $ porthouse connect demo/hello --token TOKEN
  $ porthouse room create demo/notes --history durable
  $ porthouse listen demo/notes --since unread --token TOKEN
  $ echo hi | porthouse send demo/hello - --token TOKEN --json`

/** Runs a command line, given without program and script. Failures end in `process.exitCode`. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    await commandLine().parseAsync(args, { from: 'user' })
  } catch (error) {
    process.exitCode = failed(error, args.includes('--json'))
  }
}

/** All commands with their options; docs/cli.md is held against it. */
export function commandLine(): Command {
  const program = new Command('porthouse')
    .description('A self-hosted, protocol-first messaging gateway')
    .version(VERSION)
    .addHelpText('after', HELP)
    .exitOverride()
    // Reported by `main`, in the same form as any other failure.
    .configureOutput({ outputError: () => {} })
    .hook('preAction', (_program, command) => {
      // A gateway lives on when nobody reads its first lines any more.
      if (command.name() !== 'run') endWithReader()
    })
  const groups = [
    ['The gateway:', gatewayCommands],
    ['What it remembers:', storeCommands],
    ['What is live:', liveCommands],
    ['Messages:', clientCommands],
    ['Who administers:', accessCommands],
  ] as const
  for (const [title, add] of groups) add(program.commandsGroup(title))
  program.commandsGroup('Help:')
  completionCommands(program.command('completion').description('completion for a shell'))
  return program.helpCommand('help [command]', 'say more of one of these')
}

function failed(error: unknown, json: boolean): number {
  if (!(error instanceof CommanderError)) return report(error, json)
  if (error.exitCode === 0) return EXIT.ok
  // The help stood in for a command that was not named.
  if (error.code === 'commander.help') return EXIT.usage
  return report(usage(error.message.replace(/^error: /, '')), json)
}
