/**
 * Calls that go on: how many there may be, and their end where the credentials that opened them no
 * longer hold, within a second (R51).
 */

import type { Message } from '@bufbuild/protobuf'
import type { Interceptor, StreamRequest, StreamResponse } from '@connectrpc/connect'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import { callKey, streamKey } from './call.ts'

/** How often credentials of those who watch are looked at, in milliseconds. */
const LOOK_MS = 900

export interface StreamBounds {
  /** In all, of one caller, and of all who call without credentials. */
  readonly max: number
  readonly perCaller: number
  readonly strangers: number
}

interface Live {
  /** Id of the principal; nobody knows who calls what everybody may call. */
  readonly caller: string
  readonly holds: () => Promise<boolean>
  readonly revoked: AbortController
}

/** Strangers together: with bounds of their own, they keep nobody else out. */
const STRANGERS = 'strangers'

export class Streams {
  readonly #bounds: StreamBounds
  readonly #live = new Set<Live>()
  readonly #byCaller = new Map<string, number>()
  #looking: NodeJS.Timeout | undefined

  constructor(bounds: StreamBounds) {
    this.#bounds = bounds
  }

  get count(): number {
    return this.#live.size
  }

  readonly interceptor: Interceptor = (next) => async (request) => {
    if (!request.stream) return next(request)
    const { live, signal } = this.#open(request)
    try {
      const response = (await next(request)) as StreamResponse
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

  #open({ contextValues: values, signal: gone }: StreamRequest) {
    const call = values.get(callKey)
    const caller = call?.principal.id ?? STRANGERS
    const own = this.#byCaller.get(caller) ?? 0
    this.#check(caller, own)
    this.#byCaller.set(caller, own + 1)
    const holds = call?.principal.holds ?? (async () => true)
    const live = { caller, holds, revoked: new AbortController() }
    const signal = AbortSignal.any([gone, live.revoked.signal])
    this.#live.add(live)
    // Of one who has gone without reading what he was sent, nothing else tells.
    signal.addEventListener('abort', () => this.#close(live), { once: true })
    this.#looking ??= setInterval(() => void this.#look(), LOOK_MS).unref()
    values.set(streamKey, signal)
    if (call) values.set(callKey, { ...call, signal })
    return { live, signal }
  }

  /** Throws Refusal CONNECTION_LIMIT. */
  #check(caller: string, own: number): void {
    const { max, perCaller, strangers } = this.#bounds
    const bound = caller === STRANGERS ? strangers : perCaller
    if (own < bound && this.#live.size < max) return
    throw new Refusal(Code.CONNECTION_LIMIT, `over ${own < bound ? max : bound} streams`)
  }

  #close(live: Live): void {
    if (!this.#live.delete(live)) return
    const left = (this.#byCaller.get(live.caller) ?? 1) - 1
    if (left > 0) this.#byCaller.set(live.caller, left)
    else this.#byCaller.delete(live.caller)
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
    const callers = Map.groupBy(this.#live, ({ caller }) => caller)
    for (const streams of callers.values()) {
      const holds = await streams[0]!.holds().catch(() => true)
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
