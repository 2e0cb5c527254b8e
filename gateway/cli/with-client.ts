/** Commands that are clients: a connection for as long as a command takes. */
import { type Client, connect, PorthouseError } from '@porthouse/client'
import { clientEnvironment } from '../config/client.ts'
import { EXIT, Failure } from './failure.ts'
import { parseTarget, type Target } from './target.ts'

export interface ClientOptions {
  readonly token?: string
  readonly json?: boolean
  /** False for `--no-reconnect`. */
  readonly reconnect?: boolean
}

/** Connects to the gateway of an address as typed; `filter` lets it name several channels. */
export async function withClient<T>(
  typed: string,
  { token, reconnect = true }: ClientOptions,
  use: (client: Client, target: Target) => Promise<T>,
  { filter = false, signal }: { filter?: boolean; signal?: AbortSignal } = {},
): Promise<T> {
  const environment = clientEnvironment()
  const target = parseTarget(typed, environment, filter)
  const secret = token ?? environment.token
  try {
    const client = await connect(target.url, {
      reconnect,
      ...(secret && { token: secret }),
      ...(signal && { signal }),
    })
    try {
      return await use(client, target)
    } finally {
      await client.close()
    }
  } catch (error) {
    throw clientFailure(error, target)
  }
}

function clientFailure(error: unknown, { url }: Target): unknown {
  if (!(error instanceof PorthouseError)) return error
  const message = hint(error.code, url)
  const exit = error.temporary ? EXIT.unavailable : EXIT.refused
  return new Failure(
    error.code,
    message ? `${error.message}; ${message}` : error.message,
    exit,
    error,
  )
}

/** The next step, where there is one that helps. */
function hint(code: string, url: string): string | undefined {
  switch (code) {
    case 'UNAVAILABLE':
      return `is a gateway running at ${new URL(url).origin}? PORTHOUSE_URL says where it is`
    case 'UNAUTHENTICATED':
    case 'TOKEN_EXPIRED':
      return 'give a good one with --token or PORTHOUSE_TOKEN'
    case 'SEND_NOT_PERMITTED':
    case 'RECEIVE_NOT_PERMITTED':
      return 'porthouse token create --room ROOM:send,receive makes a token that may'
    default:
      return undefined
  }
}
