/** Options that commands on the store have in common. */
import type { Command } from 'commander'

/** Where the store is. Where `--config` has another meaning, PORTHOUSE_CONFIG names the file. */
export function onStore(
  command: Command,
  where: 'data' | 'config and data' = 'config and data',
): Command {
  if (where !== 'data') command.option('--config <file>', 'JSON file with the settings')
  return command
    .option('--data <dir>', "the gateway's data folder")
    .option('--json', 'one JSON document on stdout; a failure as one on stderr')
}

/** For an option that may be given several times. */
export function gather(value: string, before: string[] = []): string[] {
  return [...before, value]
}

export const EXPIRES = 'a span such as 30d (s, m, h, d, w) or an ISO 8601 time'

export const GRANT = [
  '--room <room:rights>',
  'a room, rights (send, receive, admit) and, after another :, channels; repeatable',
] as const
