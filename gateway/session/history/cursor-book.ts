/**
 * How far clients have read (R36): each move is stored before it is answered, many of them in one
 * statement, and none moves back. What was learned last is remembered, by epoch, since readers move
 * often.
 */
import type { CursorMove, Cursors } from '../../store/history.ts'

/** Cursors that are remembered; the oldest are forgotten first. */
const KNOWN_MAX = 10_000
/** Moves in one statement. */
const BATCH_MAX = 1_000

/** Whose cursor, among positions of which epoch. */
export interface Holder {
  /** UUID of a client or token. */
  readonly holder: string
  readonly epoch: number
}

interface Moving {
  move: CursorMove
  readonly moved: PromiseWithResolvers<number>
}

export class CursorBook {
  readonly #store: Pick<Cursors, 'find' | 'move'>
  /** By room, epoch and holder. */
  readonly #known = new Map<string, number>()
  /** Asked of the store, and not answered yet. */
  readonly #finding = new Map<string, Promise<number>>()
  /** By room and holder; those that are being stored are here no more. */
  readonly #waiting = new Map<string, Moving>()
  #storing = false

  constructor(store: Pick<Cursors, 'find' | 'move'>) {
    this.#store = store
  }

  /** 0 where there is none. Rejects with StoreError. */
  find(roomId: string, { epoch, holder }: Holder): Promise<number> {
    const key = keyOf(roomId, { epoch, holder })
    let finding = this.#finding.get(key)
    if (!finding) {
      finding = this.#store
        .find(roomId, holder)
        .then((stored) => this.#learn(key, stored))
        .finally(() => this.#finding.delete(key))
      this.#finding.set(key, finding)
    }
    return finding
  }

  /** What is known of it, which may be further by now; asks the store where nothing is. */
  known(roomId: string, holder: Holder): number | Promise<number> {
    return this.#known.get(keyOf(roomId, holder)) ?? this.find(roomId, holder)
  }

  /** Resolves, once that is stored, with how far it has moved by then. Rejects with StoreError. */
  move(roomId: string, { epoch, holder }: Holder, sequence: number): Promise<number> {
    const key = keyOf(roomId, { epoch, holder })
    const move = { roomId, holder, sequence }
    let moving = this.#waiting.get(key)
    if (!moving) {
      moving = { move, moved: Promise.withResolvers<number>() }
      this.#waiting.set(key, moving)
    }
    if (move.sequence > moving.move.sequence) moving.move = move
    if (!this.#storing) void this.#storeAll()
    return moving.moved.promise
  }

  /** One statement after the other; what comes meanwhile is in the next one. */
  async #storeAll(): Promise<void> {
    this.#storing = true
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, BATCH_MAX)
      for (const [key] of batch) this.#waiting.delete(key)
      try {
        await this.#store.move(batch.map(([, { move }]) => move))
        for (const [key, { move, moved }] of batch) moved.resolve(this.#learn(key, move.sequence))
      } catch (error) {
        for (const [, { moved }] of batch) moved.reject(error)
      }
    }
    this.#storing = false
  }

  #learn(key: string, sequence: number): number {
    const furthest = Math.max(sequence, this.#known.get(key) ?? 0)
    this.#known.delete(key)
    this.#known.set(key, furthest)
    const [oldest] = this.#known.keys()
    if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest)
    return furthest
  }
}

function keyOf(roomId: string, { epoch, holder }: Holder): string {
  return `${roomId}/${epoch}/${holder}`
}
