/** `porthouse connect|send|listen`: options and help. */
import { type Command, Option } from 'commander'

const PLACES = `
ADDRESS is ACCOUNT/ROOM, ACCOUNT/ROOM/CHANNEL, client:ACCOUNT/CLIENT or socket:ID at the gateway
that PORTHOUSE_URL names (default ws://127.0.0.1:8080), or a URL ws://HOST:PORT/ACCOUNT/ROOM.
The token may also stand in PORTHOUSE_TOKEN, where other users of the machine do not see it.
`

export function clientCommands(program: Command): void {
  asClient(program.command('connect <address>'))
    .description('talk in a room: type a line, see others and what became of yours')
    .addHelpText('after', `${PLACES}\nExample:\n  $ porthouse connect demo/hello --token TOKEN`)
    .action(async (address, options) => (await import('./chat.ts')).chat(address, options))

  asClient(program.command('send <address> [text]'))
    .description('send TEXT, or stdin where it is -, and print what became of it')
    .addOption(
      new Option('--level <level>', 'how far the message must have come')
        .choices(['accepted', 'routed', 'stored'])
        .default('routed'),
    )
    .option('--lines', 'each line of stdin is a message; receipts come in the same order')
    .option('--key <key>', 'idempotency key: the same key again is a DUPLICATE')
    .option('--json', 'one JSON object a receipt: status, sockets, sequence, id')
    .addHelpText(
      'after',
      `${PLACES}
Exits with 0 for ACCEPTED, ROUTED, STORED, DUPLICATE and VOID, with 3 for REJECTED.

Examples:
  $ porthouse send demo/hello 'good morning' --token TOKEN
  $ tail -f app.log | porthouse send demo/hello/log --lines --json --token TOKEN`,
    )
    .action(async (address, text, options) => {
      process.exitCode = await (await import('./send.ts')).send(address, text, options)
    })

  asClient(program.command('listen <address>'))
    .description('print the messages of a room or channel, one a line; * and ** match channels')
    .option('--count <n>', 'end after so many messages')
    .option('--timeout <seconds>', 'end then; a failure where --count is not reached')
    .option('--no-reconnect', 'end where the connection is lost')
    .option('--text', 'the text alone')
    .option('--json', 'one JSON object a message: text or payload (base64), from, id, sequence')
    .addHelpText(
      'after',
      `${PLACES}
Prints "listening ADDRESS" on stderr once it hears.

Examples:
  $ porthouse listen demo/hello --token TOKEN
  $ porthouse listen 'demo/hello/log/**' --json --count 10 --timeout 60 --token TOKEN`,
    )
    .action(async (address, options) => (await import('./listen.ts')).listen(address, options))
}

function asClient(command: Command): Command {
  return command.option('--token <secret>', 'proof of who is asking; open rooms need none')
}
