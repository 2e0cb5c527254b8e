/** `porthouse listen`: messages of a place, one line each on stdout. */
import type { Client, Message } from '@porthouse/client'
import { EXIT, Failure, usage } from './failure.ts'
import { printMessage } from './message.ts'
import { printed, warn } from './output.ts'
import { parseCount, parseSeconds } from './quantity.ts'
import type { Target } from './target.ts'
import { type ClientOptions, withClient } from './with-client.ts'

interface Options extends ClientOptions {
  readonly count?: string
  readonly timeout?: string
  readonly text?: boolean
}

/** Ends after `--count` messages or at the end of `--timeout`; throws where that came too early. */
export async function listen(address: string, options: Options): Promise<void> {
  const { text, json, timeout } = options
  if (text && json) throw usage('--text and --json exclude each other')
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
        const messages = await messagesOf(client, target, signal)
        warn(`listening ${address}`)
        tellConnection(client)
        for await (const message of messages) {
          printMessage(message, options)
          await printed()
          if (++heard === count) return
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
  signal: AbortSignal,
): Promise<AsyncIterable<Message>> {
  if (isPlace) return (await client.join(address, { signal })).messages({ signal })
  // What is sent to the token's client or socket comes without being asked for.
  if (address.startsWith('client:')) return client.messages({ signal })
  throw usage(`${address} cannot be listened to; a room, its channels and the token's client can`)
}

/** Says, on stderr if not elsewhere, what a reader of the messages alone would not see. */
export function tellConnection(client: Client, say = warn): void {
  client.on('reconnecting', ({ error }) => say(`connection lost (${error.code}); trying again`))
  client.on('reconnected', () => say('connected again; messages may have been missed'))
  client.on('lost', ({ count, address, code }) =>
    say(`lost ${count} messages of ${address} (${code})`),
  )
}
