/** Options that commands on the admin API have in common. */
import type { Command } from 'commander'

/** Whom to ask. Where `--config` has another meaning, PORTHOUSE_CONFIG names the file. */
export function onGateway(
  command: Command,
  where: 'data' | 'config and data' = 'config and data',
): Command {
  command
    .option('--url <url>', 'the gateway to ask, http://HOST:PORT')
    .option('--profile <name>', 'the one that `porthouse login` knows by this name')
  if (where !== 'data') command.option('--config <file>', 'JSON file with the settings')
  return command
    .option('--data <dir>', "the gateway's data folder")
    .option('--json', 'one JSON document on stdout; a failure as one on stderr')
}
