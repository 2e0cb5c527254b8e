/** `porthouse run` and `porthouse config`: options and help. */
import type { Command } from 'commander'
import { onGateway } from './admin-options.ts'
import type { RunOptions } from './settings.ts'

export function gatewayCommands(program: Command): void {
  withSettings(program.command('run'))
    .description('start a gateway; SIGTERM or Ctrl-C ends it in order, twice at once')
    .addHelpText(
      'after',
      `
Each setting may also stand in the config file or in the environment, such as PORTHOUSE_HTTP or
PORTHOUSE_LIMBO_DEADLINE_MS; a flag goes before the environment, that before the file.
porthouse config lists them all. DATABASE_URL takes a PostgreSQL server of yours.

Examples:
  $ porthouse run --demo
  $ PORTHOUSE_ADMIN_LISTEN=127.0.0.1:8081 porthouse run --http 0.0.0.0:8080 --mqtt 0.0.0.0:1883
  $ porthouse run --features mqtt-front --data /var/lib/porthouse --log warn`,
    )
    .action(async (options: RunOptions) => (await import('./run.ts')).run(options))

  withSettings(program.command('config'))
    .description('print each setting that `run` would use, and where it is from')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample:\n  $ porthouse config --config porthouse.json')
    .action(async (options) => (await import('./show-config.ts')).showConfig(options))

  onGateway(program.command('doctor'))
    .description('look at ports, store, clocks, TLS and limits, and say what to do')
    .addHelpText('after', '\nExample:\n  $ porthouse doctor --config porthouse.json')
    .action(async (options) => (await import('./doctor/doctor.ts')).examine(options))

  operatorCommands(program.command('operator').description('who runs the gateway'))
}

function operatorCommands(operator: Command): void {
  operator
    .command('key')
    .description('print the key that administers everything, made where there is none')
    .option('--rotate', 'put another in its place; the old one is void within a second')
    .option('--config <file>', 'JSON file with the settings')
    .option('--data <dir>', "the gateway's data folder, which holds the key")
    .option('--json', 'as {"secret"}')
    .addHelpText('after', '\nExample:\n  $ KEY=$(porthouse operator key)')
    .action(async (options) => (await import('./operator.ts')).showKey(options))
}

function withSettings(command: Command): Command {
  return command
    .option('--config <file>', 'JSON file with settings')
    .option('--http <host:port>', 'where HTTP and WebSocket listen (default 127.0.0.1:8080)')
    .option('--mqtt <host:port>', 'where MQTT listens, or off (default 127.0.0.1:1883)')
    .option('--data <dir>', 'folder of everything that lasts')
    .option('--features <list>', 'what this process does, such as all,-teleprinter (default all)')
    .option('--log <level>', 'fatal, error, warn, info, debug, trace or silent (default info)')
    .option('--demo', 'make account demo, rooms demo/hello and demo/board and a token')
}
