/** `porthouse connect|send|listen|why`: options and help. */
import { type Command, Option } from 'commander'
import { whyCommand } from './trail/commands.ts'

const PLACES = `
ADDRESS is ACCOUNT/ROOM, ACCOUNT/ROOM/CHANNEL, lobby:ACCOUNT, client:ACCOUNT/CLIENT or socket:ID at
the gateway that PORTHOUSE_URL names (default ws://127.0.0.1:8080), or a URL
ws://HOST:PORT/ACCOUNT/ROOM.
Who you are is proved by a token, by a client's SSH key or password, or by an account's connection
key. PORTHOUSE_TOKEN, PORTHOUSE_KEY, PORTHOUSE_PASSWORD and PORTHOUSE_BEARER hold secrets where
other users of the machine do not see them.
`

export function clientCommands(program: Command): void {
  ofPast(asClient(program.command('connect <address>')))
    .description('talk in a room: type a line, see others and what became of yours')
    .addHelpText(
      'after',
      `${PLACES}
Without any proof, at a terminal, you are asked for what the place asks for.

Examples:
  $ porthouse connect demo/hello --token TOKEN
  $ porthouse connect demo/board --last 20 --token TOKEN
  $ porthouse connect acme/boiler --as bob --ssh-key ~/.ssh/id_ed25519 --trace`,
    )
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
    .option('--retain', 'keep it as the last value of its channel')
    .option('--json', 'one JSON object a receipt: status, sockets, sequence, id')
    .addHelpText(
      'after',
      `${PLACES}
--level stored waits for the commit, in a room that has a durable history; --retain keeps the
message as its channel's last value, in a room with block retained.
Exits with 0 for ACCEPTED, ROUTED, STORED, DUPLICATE and VOID, with 3 for REJECTED.

Examples:
  $ porthouse send demo/hello 'good morning' --token TOKEN
  $ porthouse send demo/board 'remember the milk' --level stored --token TOKEN
  $ tail -f app.log | porthouse send demo/hello/log --lines --json --token TOKEN`,
    )
    .action(async (address, text, options) => {
      process.exitCode = await (await import('./send.ts')).send(address, text, options)
    })

  ofPast(asClient(program.command('listen <address>')))
    .description('print the messages of a room or channel, one a line; * and ** match channels')
    .option('--count <n>', 'end after so many messages')
    .option('--timeout <seconds>', 'end then; a failure where --count is not reached')
    .option('--no-reconnect', 'end where the connection is lost')
    .option('--text', 'the text alone')
    .option('--json', 'one JSON object a message: text or payload (base64), from, id, sequence')
    .addHelpText(
      'after',
      `${PLACES}
Prints "listening ADDRESS" on stderr once it hears. --since and --last need a room that keeps its
messages: unread is what the client has not been printed yet, so that each comes once; a position
is the "sequence" of --json, and 0 is all that is kept.

Examples:
  $ porthouse listen demo/hello --token TOKEN
  $ porthouse listen demo/board --since unread --token TOKEN
  $ porthouse listen demo/board --since 1200 --json --token TOKEN
  $ porthouse listen 'demo/hello/log/**' --json --count 10 --timeout 60 --token TOKEN`,
    )
    .action(async (address, options) => (await import('./listen.ts')).listen(address, options))

  whyCommand(program.command('why [id]'))
}

function ofPast(command: Command): Command {
  return command
    .option('--since <position>', 'hear first what came after it; start: all of it; unread')
    .option('--last <n>', 'hear first the last so many messages')
}

function asClient(command: Command): Command {
  return command
    .option('--token <secret>', 'a token; open rooms need none')
    .option('--as <client>', 'be ACCOUNT/CLIENT, or CLIENT of the account in ADDRESS')
    .option('--ssh-key <file>', "with --as: by the client's private SSH key")
    .option('--ssh-agent', 'with --as: by an SSH agent; --ssh-key FILE.pub says by which key')
    .option('--password', "with --as: by the client's password, typed or in PORTHOUSE_PASSWORD")
    .option('--key-file <file>', "an account's connection key")
    .option('--bearer <jwt>', 'a token of the OpenID provider that the room names')
    .option('--device', 'log in to the OpenID provider on another device')
    .option('--trace', 'print every frame of both sides on stderr, secrets left out')
}
