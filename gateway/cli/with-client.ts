/** Commands that are clients: a connection for as long as a command takes. */
import { type Client, connect, PorthouseError } from '@porthouse/client'
import { clientEnvironment } from '../config/client.ts'
import { type ProofOptions, proofsOf } from './answerers.ts'
import { EXIT, Failure } from './failure.ts'
import { nextStep } from './next-step.ts'
import { warn } from './output.ts'
import { parseTarget, type Target } from './target.ts'
import { tracer } from './trace/trace.ts'

export interface ClientOptions extends ProofOptions {
  readonly json?: boolean
  readonly trace?: boolean
  /** False for `--no-reconnect`. */
  readonly reconnect?: boolean
}

/** What a command does with its client. */
export interface Use {
  /** Lets the address name several channels. */
  readonly filter?: boolean
  /** Enters the room by its URL, in which the place's locks ask for what they need and no more. */
  readonly enter?: boolean
  /** Has the person answer, where no option does. */
  readonly interactive?: boolean
  readonly signal?: AbortSignal
}

/** Where it goes, and as whom. */
export interface Errand extends Target {
  /** The client that sends, `client:…`. */
  readonly as: string | undefined
}

/** Connects to the gateway of an address as typed. */
export async function withClient<T>(
  typed: string,
  options: ClientOptions,
  use: (client: Client, errand: Errand) => Promise<T>,
  { filter = false, enter = false, interactive = false, signal }: Use = {},
): Promise<T> {
  const environment = clientEnvironment()
  const target = parseTarget(typed, environment, filter)
  const { address, url, placeUrl = url } = target
  const { answerers, as } = await proofsOf(options, environment, { address, interactive })
  const { reconnect = true, trace } = options
  const show = trace ? tracer(warn) : undefined
  let isThere = false
  try {
    const client = await connect(enter ? placeUrl : url, {
      reconnect,
      locks: answerers,
      onPacket: (direction, packet) => {
        isThere ||= direction === 'received'
        show?.(direction, packet)
      },
      ...(signal && { signal }),
    })
    try {
      return await use(client, { ...target, as })
    } finally {
      await client.close()
    }
  } catch (error) {
    throw clientFailure(error, target, isThere)
  }
}

/** `isThere`: the gateway has said anything. */
function clientFailure(error: unknown, { url }: Target, isThere: boolean): unknown {
  if (!(error instanceof PorthouseError)) return error
  const message = hint(error.code, url, isThere)
  const exit = error.temporary ? EXIT.unavailable : EXIT.refused
  return new Failure(
    error.code,
    message ? `${error.message}; ${message}` : error.message,
    exit,
    error,
  )
}

/** Where it is away, that is most often an address; else as for any refusal. */
function hint(code: string, url: string, isThere: boolean): string | undefined {
  if (code !== 'UNAVAILABLE') return nextStep(code)
  if (isThere) return 'what it depends on there is away for now: try again later'
  return `is a gateway running at ${new URL(url).origin}? PORTHOUSE_URL says where it is`
}
