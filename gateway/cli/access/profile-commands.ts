/** `porthouse login`, `logout` and `profile …`: options and help. */
import type { Command } from 'commander'

export function profileCommands(program: Command): void {
  const load = () => import('./profile.ts')
  program
    .command('login')
    .description('keep the API key of a gateway, which commands use from then on')
    .requiredOption('--url <url>', 'the gateway, https://HOST')
    .option('--profile <name>', 'what it is called here', 'default')
    .option('--json', 'one JSON document on stdout; a failure as one on stderr')
    .addHelpText(
      'after',
      `
The key is asked for at a terminal, unseen, or read from stdin; porthouse api-key create makes one.
It is tried before it is kept, in a file that nobody else can read.

Examples:
  $ porthouse login --url https://hub.example
  $ porthouse login --url https://hub.example --profile work < key.txt`,
    )
    .action(async (options) => (await load()).login(options))
  program
    .command('logout')
    .description('forget a profile with its key; the key itself stays good')
    .option('--profile <name>', 'which; without it, the one that counts')
    .option('--json', 'one JSON document on stdout; a failure as one on stderr')
    .action(async (options) => (await load()).logout(options))
  const profile = program.command('profile').description('gateways that were logged in to')
  profile
    .command('list')
    .description('list the profiles, without their keys')
    .option('--json', 'one JSON document on stdout; a failure as one on stderr')
    .action(async (options) => (await load()).listProfiles(options))
  profile
    .command('use <name>')
    .description('have commands use this one')
    .option('--json', 'one JSON document on stdout; a failure as one on stderr')
    .action(async (name, options) => (await load()).useProfile(name, options))
  profile
    .command('show [name]')
    .description('show a profile, without its key; without NAME the one that counts')
    .option('--json', 'one JSON document on stdout; a failure as one on stderr')
    .action(async (name, options) => (await load()).showProfile(name, options))
}
