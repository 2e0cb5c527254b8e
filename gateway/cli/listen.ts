/** `porthouse listen`: messages of a place, one line each on stdout. */
import type { Client, Message, Room, Since } from '@porthouse/client'
import { EXIT, Failure, usage } from './failure.ts'
import { printMessage } from './message.ts'
import { nextStep } from './next-step.ts'
import { printed, warn } from './output.ts'
import { type PastOptions, pastOf, ReadMark } from './past.ts'
import { parseCount, parseSeconds } from './quantity.ts'
import type { Target } from './target.ts'
import { type ClientOptions, withClient } from './with-client.ts'

interface Options extends ClientOptions, PastOptions {
  readonly count?: string
  readonly timeout?: string
  readonly text?: boolean
}

const TO_JOIN = '--since and --last need an ADDRESS, not a URL with a secret or a client in it'

/** Ends after `--count` messages or at the end of `--timeout`; throws where that came too early. */
export async function listen(address: string, options: Options): Promise<void> {
  const { text, json, timeout } = options
  if (text && json) throw usage('--text and --json exclude each other')
  const since = pastOf(options)
  const count = options.count === undefined ? undefined : parseCount(options.count)
  const signal = AbortSignal.any(
    timeout === undefined ? [] : [AbortSignal.timeout(parseSeconds(timeout))],
  )
  let heard = 0
  try {
    await withClient(
      address,
      options,
      async (client, target) => {
        tellConnection(client)
        const { messages, mark } = await messagesOf(client, target, { signal, since })
        warn(`listening ${address}`)
        try {
          for await (const message of messages) {
            printMessage(message, options)
            await printed()
            mark?.printed(message)
            if (++heard === count) return
          }
        } finally {
          await mark?.told()
        }
      },
      { filter: true, signal },
    )
  } catch (error) {
    if (!signal.aborted) throw error
    if (count === undefined) return
    throw new Failure(
      'TIMEOUT',
      `heard ${heard} of ${count} messages in ${timeout} s`,
      EXIT.timeout,
    )
  }
}

async function messagesOf(
  client: Client,
  { address, isPlace }: Target,
  { signal, since }: { signal: AbortSignal; since: Since | undefined },
): Promise<{ messages: AsyncIterable<Message>; mark?: ReadMark }> {
  const isClient = address.startsWith('client:')
  if (isPlace || (isClient && since !== undefined)) {
    if (since !== undefined && client.entered) throw usage(TO_JOIN)
    const room = await joined(client, address, { signal, since })
    const messages = room.messages({ signal })
    return { messages, ...(since === 'unread' && { mark: new ReadMark(room) }) }
  }
  // What is sent to the token's client or socket comes without being asked for.
  if (isClient) return { messages: client.messages({ signal }) }
  throw usage(`${address} cannot be listened to; a room, its channels and the token's client can`)
}

/** Throws a Failure where it is not known what is unread. */
async function joined(
  client: Client,
  address: string,
  { signal, since }: { signal: AbortSignal; since: Since | undefined },
): Promise<Room> {
  let isKept = true
  const off = client.on('gap', ({ code }) => {
    isKept &&= code !== 'NO_HISTORY'
  })
  const room = await client.join(address, { signal, since })
  off()
  if (isKept || since !== 'unread') return room
  throw new Failure('NO_HISTORY', `${address} does not know what is unread`, EXIT.refused)
}

/** Says, on stderr if not elsewhere, what a reader of the messages alone would not see. */
export function tellConnection(client: Client, say = warn): void {
  client.on('reconnecting', ({ error }) => say(`connection lost (${error.code}); trying again`))
  client.on('reconnected', () => say('connected again'))
  client.on('gap', ({ address, from, code }) => {
    const where = from > 0n ? ` from position ${from} on` : ''
    const next = nextStep(code)
    say(`messages of ${address}${where} may be missing (${code})${next ? `; ${next}` : ''}`)
  })
  client.on('lost', ({ count, address, code }) =>
    say(`lost ${count} messages of ${address} (${code})`),
  )
}
