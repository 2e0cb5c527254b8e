/** `porthouse completion …`: options and help. */
import type { Command } from 'commander'
import { SHELLS } from './shells.ts'

export function completionCommands(completion: Command): void {
  completion.addHelpText(
    'after',
    `
Names of accounts, rooms and clients are completed where a gateway runs.

Examples:
  $ porthouse completion bash > ~/.local/share/bash-completion/completions/porthouse
  $ porthouse completion zsh > ~/.zfunc/_porthouse
  $ porthouse completion fish > ~/.config/fish/completions/porthouse.fish`,
  )
  const load = () => import('./completion.ts')
  for (const shell of SHELLS) {
    completion
      .command(shell)
      .description(`print what ${shell} completes command lines by`)
      .action(async (_options, command: Command) => {
        ;(await load()).printCompletion(shell, rootOf(command))
      })
  }
  // What the script asks at the tab.
  completion
    .command('names <kind> [prefix]', { hidden: true })
    .action(async (kind, prefix) => (await load()).printNames(kind, prefix))
}

function rootOf(command: Command): Command {
  return command.parent ? rootOf(command.parent) : command
}
