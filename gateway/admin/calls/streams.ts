/**
 * Calls that go on: how many there may be, and their end where the credentials that opened them no
 * longer hold, within a second (R51).
 */

import type { Message } from '@bufbuild/protobuf'
import type { Interceptor, StreamRequest, StreamResponse } from '@connectrpc/connect'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import type { Principal } from '../credentials/principal.ts'
import { type Call, callKey } from './call.ts'

/** How often credentials of those who watch are looked at, in milliseconds. */
const LOOK_MS = 900

export interface StreamBounds {
  /** In all, and of one caller. */
  readonly max: number
  readonly perCaller: number
}

interface Live {
  readonly principal: Principal
  readonly revoked: AbortController
}

export class Streams {
  readonly #bounds: StreamBounds
  readonly #live = new Set<Live>()
  #looking: NodeJS.Timeout | undefined

  constructor(bounds: StreamBounds) {
    this.#bounds = bounds
  }

  get count(): number {
    return this.#live.size
  }

  readonly interceptor: Interceptor = (next) => async (request) => {
    const call = request.contextValues.get(callKey)
    if (!request.stream || !call) return next(request)
    const { live, opened, signal } = this.#open(call)
    request.contextValues.set(callKey, opened)
    try {
      const response = (await next(request as StreamRequest)) as StreamResponse
      return { ...response, message: this.#watched(response.message, live, signal) }
    } catch (error) {
      this.#close(live)
      throw error
    }
  }

  /** Ends all of them. Nothing is left to wait for. */
  stop(): void {
    for (const { revoked } of this.#live) revoked.abort(ended())
  }

  #open(call: Call) {
    const { max, perCaller } = this.#bounds
    const { principal } = call
    const own = [...this.#live].filter((each) => each.principal.id === principal.id).length
    if (this.#live.size >= max || own >= perCaller) {
      throw new Refusal(Code.CONNECTION_LIMIT, `over ${own >= perCaller ? perCaller : max} streams`)
    }
    const live = { principal, revoked: new AbortController() }
    this.#live.add(live)
    this.#looking ??= setInterval(() => void this.#look(), LOOK_MS).unref()
    const signal = AbortSignal.any([call.signal, live.revoked.signal])
    return { live, signal, opened: { ...call, signal } }
  }

  #close(live: Live): void {
    this.#live.delete(live)
    if (this.#live.size > 0) return
    clearInterval(this.#looking)
    this.#looking = undefined
  }

  async *#watched(
    messages: AsyncIterable<Message>,
    live: Live,
    signal: AbortSignal,
  ): AsyncIterable<Message> {
    try {
      yield* messages
      // A service ends its stream when the signal says so; why, is told here.
      if (live.revoked.signal.aborted) throw live.revoked.signal.reason
    } finally {
      if (!signal.aborted) live.revoked.abort()
      this.#close(live)
    }
  }

  /** Each caller once, however many streams it has. */
  async #look(): Promise<void> {
    const callers = Map.groupBy(this.#live, ({ principal }) => principal.id)
    for (const streams of callers.values()) {
      const holds = await streams[0]!.principal.holds().catch(() => true)
      if (!holds) for (const { revoked } of streams) revoked.abort(noLonger())
    }
  }
}

function noLonger(): Refusal {
  return new Refusal(Code.REVOKED, 'the credentials no longer hold')
}

function ended(): Refusal {
  return new Refusal(Code.DRAINING, 'the gateway goes down')
}
