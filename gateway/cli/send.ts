/** `porthouse send`: messages from the command line or stdin, one final receipt each on stdout. */
import { type Client, type Level, PorthouseError, type SendOptions } from '@porthouse/client'
import { EXIT, usage } from './failure.ts'
import { contentOf, linesOf, wholeOf } from './lines.ts'
import { nextStep } from './next-step.ts'
import { print, printed, printJson, warn } from './output.ts'
import { type Outcome, receiptForPeople, receiptForScripts, rejected } from './receipt.ts'
import { type ClientOptions, type Errand, withClient } from './with-client.ts'

interface Options extends ClientOptions {
  readonly level: Exclude<Level, 'none'>
  readonly lines?: boolean
  readonly key?: string
  readonly retain?: boolean
}

type Post = (content: string | Uint8Array) => Promise<Outcome>

/** Messages in flight, and bytes of them: enough to fill a round trip, little to hold. */
const IN_FLIGHT_MAX = 1024
const IN_FLIGHT_BYTES_MAX = 1024 * 1024

/** Returns the exit code: `refused` where any message was rejected. */
export async function send(
  address: string,
  text: string | undefined,
  options: Options,
): Promise<number> {
  const { lines, key, level, retain } = options
  if (lines && text !== undefined && text !== '-')
    throw usage('--lines reads stdin: leave TEXT out')
  if (lines && key) throw usage('--key is for one message; with --lines all would be duplicates')
  if (!lines && text === undefined) throw usage('say what to send: TEXT, - for stdin, or --lines')
  return withClient(address, options, async (client, errand) => {
    const { as } = errand
    const terms = { level, as, retain, ...(key && { idempotencyKey: key }) }
    const post = await poster(client, errand, terms)
    let exit: number = EXIT.ok
    const told = new Set<string>()
    const tell = async (outcome: Outcome) => {
      if (outcome.status === 'REJECTED') exit = EXIT.refused
      if (options.json) printJson(receiptForScripts(outcome))
      else tellPerson(outcome, told)
      await printed()
    }
    if (lines) await pipeline(linesOf(process.stdin), post, tell)
    else await tell(await post(text === '-' ? contentOf(await wholeOf(process.stdin)) : text!))
    return exit
  })
}

/** With what can be done about a refusal, each said once. */
function tellPerson(outcome: Outcome, told: Set<string>): void {
  print(receiptForPeople(outcome))
  const next = 'code' in outcome ? nextStep(outcome.code) : undefined
  if (next === undefined || told.has(next)) return
  told.add(next)
  warn(next)
}

/** Enters the room to send only, so that the sender is no listener, and says how to send there. */
async function poster(client: Client, target: Errand, options: SendOptions): Promise<Post> {
  let open = true
  client.on('closed', () => {
    open = false
  })
  const asOutcome = (error: unknown) => {
    // With the connection gone for good nobody can say what became of a message.
    if (!(error instanceof PorthouseError && !error.temporary && open)) throw error
    return rejected(error)
  }
  if (!target.isPlace) {
    return (content) => client.send(target.address, content, options).catch(asOutcome)
  }
  try {
    const room = await client.join(target.address, { sendOnly: true })
    return (content) => room.send(content, options).catch(asOutcome)
  } catch (error) {
    // Who may not enter has each message refused for the same reason.
    const refusal = asOutcome(error)
    return async () => refusal
  }
}

/** Posts each line as it comes and tells the outcomes in order; at most IN_FLIGHT at a time. */
async function pipeline(
  lines: AsyncIterable<Buffer>,
  post: Post,
  tell: (outcome: Outcome) => Promise<void>,
): Promise<void> {
  let told = Promise.resolve()
  let failed: { error: unknown } | undefined
  let messages = 0
  let bytes = 0
  let wake = () => {}
  const follow = async (outcome: Promise<Outcome>, before: Promise<void>, size: number) => {
    try {
      await before
      await tell(await outcome)
    } catch (error) {
      failed ??= { error }
    }
    messages--
    bytes -= size
    wake()
  }
  try {
    for await (const line of lines) {
      if (failed) break
      messages++
      bytes += line.length
      const outcome = post(contentOf(line))
      // It is awaited in its turn; until then its rejection is nobody's surprise.
      outcome.catch(() => {})
      told = follow(outcome, told, line.length)
      while (messages >= IN_FLIGHT_MAX || (bytes > IN_FLIGHT_BYTES_MAX && messages > 0)) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    await told
  }
  if (failed) throw failed.error
}
