/**
 * A member on the way from a position to what is live (R36, R43): pages of what he has missed, each
 * after he has taken the one before, and where what is left is in memory, the rest of it and his
 * subscription in one step. So there is no gap and no double between them, and nothing waits for
 * him meanwhile. Before all that come session histories and last values, if the room has any.
 */
import { Code } from '@porthouse/proto/v1/code'
import { Replay } from '@porthouse/proto/v1/envelope'
import type { Page, Replayed } from '../../rooms/history/page.ts'
import type { Room } from '../../rooms/rooms.ts'
import type { Membership } from '../../router/place.ts'
import type { Session } from '../session.ts'

/** One page: small enough that many may take turns. */
const PAGE = { limit: 256, bytes: 65_536 }

/** Until the store is asked again that was away, in milliseconds. */
const RETRY_MS = 250

/** A message from before the position that he begins at. */
export interface Earlier {
  readonly kept: Replayed
  readonly replay: Replay
}

export interface CatchUpParts {
  readonly session: Session
  readonly room: Room
  readonly member: Membership
  /** What he will listen to. */
  readonly filters: readonly string[]
  /** He has all up to this position, or gets it by `earlier`. */
  readonly after: number
  /** What comes first, each with its Replay. */
  readonly earlier: readonly Earlier[]
  /** As it was joined, for CaughtUp. */
  readonly address: string
}

export class CatchUp {
  readonly member: Membership
  readonly #session: Session
  readonly #room: Room
  readonly #address: string
  #filters: readonly string[]
  #earlier: readonly Earlier[]
  #through: number
  #failed = false

  constructor({ session, room, member, filters, after, address, earlier }: CatchUpParts) {
    this.#session = session
    this.#room = room
    this.member = member
    this.#filters = filters
    this.#through = after
    this.#earlier = earlier
    this.#address = address
  }

  /** What he will listen to; empty once it has ended. */
  get filters(): readonly string[] {
    return this.#filters
  }

  /** Goes on with those filters alone for which `keeps` is true; without any it ends. */
  narrow(keeps: (filter: string) => boolean): void {
    this.#filters = this.#filters.filter(keeps)
    if (this.#filters.length === 0) this.#end()
  }

  step(): void {
    if (this.#isOver) return
    const { history, place } = this.#room
    if (this.#earlier.length > 0) {
      this.#replayEarlier()
      if (this.#earlier.length > 0) return this.#pause()
    }
    this.#skipLost()
    // What is stored but not heard yet is to come live.
    const before = place.sequence + 1
    const range = { ...PAGE, after: this.#through, before, from: 'start', filters: this.#filters }
    const page = history.page({ ...range, from: 'start' })
    if (!(page instanceof Promise)) return this.#take(page)
    page.then(
      (read) => this.#take(read),
      (error) => this.#retry(error),
    )
  }

  get #isOver(): boolean {
    return this.#session.closed || this.#filters.length === 0
  }

  #take(page: Page): void {
    if (this.#isOver) return
    const { outbox, lane } = this.#session
    if (page.messages.length > 0) outbox.shared(page.encode(lane, Replay.HISTORY))
    this.#through = Math.max(this.#through, page.through)
    if (!page.more && this.#through >= this.#room.place.sequence) this.#goLive()
    else this.#pause()
  }

  /** Until he has taken what he was given, and others have had their turn. */
  #pause(): void {
    const { outbox, core } = this.#session
    outbox.whenReady(() => core.catchUps.next(this))
  }

  /** One page of them. */
  #replayEarlier(): void {
    const { outbox, lane } = this.#session
    const { structure } = this.#room.config
    const writer = lane.writer()
    let count = 0
    for (const { kept, replay } of this.#earlier) {
      if (count === PAGE.limit || writer.bytes > PAGE.bytes) break
      writer.envelope(kept.body, { ...kept.message, replay }, 0, structure)
      count++
    }
    this.#earlier = this.#earlier.slice(count)
    outbox.shared(writer.whole())
  }

  /** What retention, or the window, has taken meanwhile. */
  #skipLost(): void {
    const before = this.#room.history.reach
    if (before <= this.#through) return
    const { route } = this.#room.place
    const value = {
      route,
      fromSequence: BigInt(this.#through + 1),
      toSequence: BigInt(before),
      count: before - this.#through,
      code: Code.RETENTION,
    }
    this.#session.send(0, { case: 'room', value: { action: { case: 'lost', value } } })
    this.#through = before
  }

  #goLive(): void {
    const { place } = this.#room
    const value = {
      route: place.route,
      address: this.#address,
      sequence: BigInt(place.sequence),
    }
    this.#session.send(0, { case: 'room', value: { action: { case: 'caughtUp', value } } })
    for (const filter of this.#filters) place.listen(this.member, filter)
    this.#filters = []
    this.#end()
  }

  #end(): void {
    const { catchingUp } = this.#session
    this.#session.catchingUp = catchingUp.filter((each) => each !== this)
  }

  #retry(error: unknown): void {
    if (this.#isOver) return
    const { core, id } = this.#session
    if (!this.#failed) core.log.warn({ socket: id, err: error }, 'catching up has to wait')
    this.#failed = true
    setTimeout(() => this.step(), RETRY_MS).unref()
  }
}

/** Filters that a member does not listen to yet, but will when he has caught up. */
export function pendingFilters({ catchingUp }: Session, member: Membership): string[] {
  return catchingUp.flatMap((each) => (each.member === member ? each.filters : []))
}

/** Of a member's pending filters only those go on that `keeps` says. */
export function narrowPending(
  { catchingUp }: Session,
  member: Membership,
  keeps: (filter: string) => boolean,
): void {
  for (const each of catchingUp) if (each.member === member) each.narrow(keeps)
}
