/**
 * WatchSockets: those that are there, and then what becomes of them. Which have changed is noted as
 * it happens; how they are is looked up when it is told, so that of many changes of one socket the
 * last is told, and of one that came and went nothing.
 */
import { setImmediate } from 'node:timers/promises'
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { WatchSocketsResponseSchema } from '@porthouse/proto/admin/v1/socket_service'
import type { Session } from '../../session/session.ts'
import { Bell, pause } from '../calls/bell.ts'
import { socketName } from '../live-names.ts'
import type { LiveParts } from '../parts.ts'
import type { Scope } from '../scope.ts'
import type { SocketQuery } from './filter.ts'
import { shownSocket } from './shown.ts'

type Answer = MessageInitShape<typeof WatchSocketsResponseSchema>

/**
 * Sockets that are told in one answer, and the time until the next, in milliseconds: what waits for
 * a delivery while they are made ready is not to be felt (measured: bench/admin/watch.ts).
 */
const TOLD_AT_ONCE = 4
const PACE_MS = 5

/** Sockets that are looked at before others get their turn. */
const SEEN_AT_ONCE = 1_024

export interface SocketWatching {
  readonly live: LiveParts
  readonly scope: Scope
  readonly query: SocketQuery
  /** Least time between answers about changes, and longest without any; in milliseconds. */
  readonly intervalMs: number
  readonly silenceMs: number
  /** Changed sockets that may wait for the reader. */
  readonly waiting: number
  readonly signal: AbortSignal
}

export async function* watchSockets(watching: SocketWatching): AsyncGenerator<Answer> {
  const { signal, intervalMs, silenceMs } = watching
  const watch = new SocketWatch(watching)
  yield* watch.snapshot()
  while (!signal.aborted) {
    await watch.bell.rings(silenceMs)
    if (signal.aborted) return
    if (watch.missed) {
      yield { event: { case: 'missed', value: {} } }
      yield* watch.snapshot()
    } else {
      yield* watch.changes()
      await pause(intervalMs, signal)
    }
  }
}

class SocketWatch {
  readonly bell: Bell
  /** More has changed than may wait. */
  missed = false
  readonly #watching: SocketWatching
  /** Ids of those that have changed since they were told. */
  readonly #changed = new Set<string>()
  /** Ids of those that were told. */
  readonly #told = new Set<string>()

  constructor(watching: SocketWatching) {
    const { live, signal } = watching
    const { taps } = live.core.technical
    this.#watching = watching
    this.bell = new Bell(signal)
    const note = (about: Session) => this.#note(about)
    taps.changes.add(note)
    signal.addEventListener('abort', () => taps.changes.delete(note), { once: true })
  }

  /** What changes meanwhile is told after it. */
  async *snapshot(): AsyncGenerator<Answer> {
    const { query, scope, signal } = this.#watching
    this.#changed.clear()
    this.#told.clear()
    this.missed = false
    let sockets = []
    let seen = 0
    for (const session of query.candidates()) {
      if (signal.aborted) return
      if (++seen % SEEN_AT_ONCE === 0) await setImmediate()
      if (session.closed || !query.has(session)) continue
      this.#told.add(session.id)
      sockets.push(shownSocket(session, scope))
      if (sockets.length < TOLD_AT_ONCE) continue
      yield { event: { case: 'snapshot', value: { sockets } } }
      await pause(PACE_MS, signal)
      sockets = []
    }
    yield { event: { case: 'snapshot', value: { sockets, complete: true } } }
  }

  /** One answer at least, which says nothing where nothing has changed. */
  async *changes(): AsyncGenerator<Answer> {
    const { signal } = this.#watching
    for (;;) {
      yield { event: { case: 'changes', value: this.#take() } }
      if (this.#changed.size === 0 || this.missed || signal.aborted) return
      await pause(PACE_MS, signal)
    }
  }

  #note({ id }: Session): void {
    if (this.missed) return
    this.#changed.add(id)
    this.missed = this.#changed.size > this.#watching.waiting
    if (this.missed) this.#changed.clear()
    this.bell.ring()
  }

  #take() {
    const { live, query, scope } = this.#watching
    const changes = { opened: [], changed: [], closed: [] } as Changes
    let left = TOLD_AT_ONCE
    for (const id of this.#changed) {
      if (left-- === 0) break
      this.#changed.delete(id)
      const session = live.core.router.graph.socket(id) as Session | undefined
      const isThere = session !== undefined && query.has(session)
      const wasThere = this.#told.has(id)
      if (isThere) changes[wasThere ? 'changed' : 'opened'].push(shownSocket(session, scope))
      else if (wasThere) changes.closed.push(socketName({ id }))
      if (isThere) this.#told.add(id)
      else this.#told.delete(id)
    }
    return changes
  }
}

interface Changes {
  readonly opened: ReturnType<typeof shownSocket>[]
  readonly changed: ReturnType<typeof shownSocket>[]
  readonly closed: string[]
}
