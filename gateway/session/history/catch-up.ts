/**
 * A member on the way from a position to what is live (R36, R43): pages of what he has missed, each
 * after he has taken the one before, and where what is left is in memory, the rest of it and his
 * subscription in one step. So there is no gap and no double between them, and nothing waits for
 * him meanwhile. Before all that come session histories and last values, if the room has any.
 * Several of one socket go one after the other: together they would be more than it can take.
 */
import { Code } from '@porthouse/proto/v1/code'
import { Replay } from '@porthouse/proto/v1/envelope'
import { matchesAny } from '../../protocol/channel.ts'
import { isExpired, type Page } from '../../rooms/history/page.ts'
import type { RoomHistory } from '../../rooms/history/room-history.ts'
import type { Room } from '../../rooms/rooms.ts'
import type { OwnMessage } from '../../router/intake.ts'
import type { Membership } from '../../router/membership.ts'
import type { Session } from '../session.ts'

/** One page: small enough that many may take turns. */
const PAGE = { limit: 256, bytes: 65_536 }

/** Until the store is asked again that was away, in milliseconds. */
const RETRY_MS = 250

/** A message from before the position that he begins at. */
export interface Earlier {
  readonly kept: OwnMessage
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
  /** What he hears by other subscriptions, these bring him from there on. */
  readonly resumes: boolean
  /** It brings what is past, and then nothing. */
  readonly repeats: boolean
}

export class CatchUp {
  readonly member: Membership
  readonly repeats: boolean
  /** When it was asked for, in milliseconds that only rise. */
  readonly since: number
  readonly #session: Session
  readonly #room: Room
  readonly #address: string
  /** What he hears by other subscriptions when this one's turn has come. */
  readonly #heard: readonly string[]
  /** Position from which on he has what he hears by them. */
  #asked: number
  #history: RoomHistory
  #filters: readonly string[]
  #earlier: readonly Earlier[]
  #through: number
  #failed = false

  constructor(parts: CatchUpParts) {
    const { session, room, member, filters, after, address, earlier, resumes, repeats } = parts
    this.#session = session
    this.#room = room
    this.member = member
    this.repeats = repeats
    this.since = session.core.uptime()
    this.#filters = filters
    this.#through = after
    this.#earlier = earlier
    this.#address = address
    this.#heard = [...member.filters, ...pendingFilters(session, member)]
    this.#asked = resumes ? after : room.place.sequence
    this.#history = room.history
  }

  /** He was given all up to this position. */
  get through(): number {
    return this.#through
  }

  /** Positions that he has not been given yet, and what comes before them. */
  get left(): number {
    return this.#earlier.length + Math.max(0, this.#room.place.sequence - this.#through)
  }

  /** What he will listen to; empty once it has ended. */
  get filters(): readonly string[] {
    return this.#filters
  }

  /** Begins, as soon as those that the socket asked for before are through. */
  begin(): void {
    const session = this.#session
    session.catchingUp = [...session.catchingUp, this]
    if (session.catchingUp[0] === this) this.step()
  }

  /** Goes on with those filters alone for which `keeps` is true; without any it ends. */
  narrow(keeps: (filter: string) => boolean): void {
    const filters = this.#filters.filter(keeps)
    if (filters.length === this.#filters.length) return
    this.#filters = filters
    this.#earlier = this.#earlier.filter(({ kept }) => matchesAny(filters, kept.channel))
    if (filters.length === 0) this.#end()
  }

  step(): void {
    if (this.#isOver) return
    if (!this.#session.outbox.ready) return this.#pause()
    if (this.#history !== this.#room.history) this.#renumbered()
    if (this.#earlier.length > 0) {
      this.#replayEarlier()
      if (this.#earlier.length > 0) return this.#pause()
    }
    this.#skipLost()
    const [history, filters] = [this.#history, this.#filters]
    const [after, before] = [this.#through, this.#before]
    const page = history.page({ ...PAGE, after, before, from: 'start', filters })
    if (!(page instanceof Promise)) return this.#take(page)
    // Meanwhile his rights may have been narrowed, or the room may have begun a new epoch.
    const isAsAsked = () => filters === this.#filters && history === this.#room.history
    const take = (read: Page) => (isAsAsked() ? this.#take(read) : this.#pause())
    page.then(
      // Many may have waited for the same one: they take it in turns.
      (read) => this.#session.core.catchUps.next({ step: () => take(read) }),
      (error) => this.#retry(error),
    )
  }

  /** Where a page ends at the latest: what is stored but not heard yet is to come live. */
  get #before(): number {
    const end = this.#room.place.sequence + 1
    // As far as a whole page goes, so that those who want the same ask for the same.
    return this.#filters.includes('') ? Math.min(end, this.#through + PAGE.limit + 1) : end
  }

  get #isOver(): boolean {
    return this.#session.closed || this.#filters.length === 0
  }

  #take(page: Page): void {
    if (this.#isOver) return
    const isBehind = page.through < this.#through
    this.#send(page)
    this.#through = Math.max(this.#through, page.through)
    if (!page.more && this.#through >= this.#room.place.sequence) this.#goLive()
    // The store has less than was told: it may be that the room was restored.
    else if (isBehind) this.#later()
    else this.#pause()
  }

  /** Encoded once for all, unless he has some of it already. */
  #send(page: Page): void {
    const now = this.#session.core.clock()
    const missing = page.messages.filter(
      (each) => !this.#has(each) && !isExpired(each.message, each.body, now),
    )
    if (missing.length === 0) return
    if (missing.length === page.messages.length) return this.#session.outbox.page(page)
    this.#replay(missing.map((kept) => ({ kept, replay: Replay.HISTORY })))
  }

  /** What came since he asked, he has by his other subscriptions. */
  #has({ message, channel }: OwnMessage): boolean {
    if (message.sequence <= this.#asked || this.#heard.length === 0) return false
    const { filters } = this.member
    return matchesAny(
      this.#heard.filter((each) => filters.has(each)),
      channel,
    )
  }

  /** Until he has taken what he was given, and others have had their turn. */
  #pause(): void {
    const { outbox, core } = this.#session
    outbox.whenReady(() => core.catchUps.next(this))
  }

  #later(): void {
    const { catchUps } = this.#session.core
    setTimeout(() => catchUps.next(this), RETRY_MS).unref()
  }

  /** One page of them; whoever sent one of a session history may have left meanwhile. */
  #replayEarlier(): void {
    let count = 0
    let bytes = 0
    for (const { kept } of this.#earlier) {
      if (count === PAGE.limit || bytes > PAGE.bytes) break
      bytes += kept.body.end - kept.body.start
      count++
    }
    const { sessionHistory } = this.#room
    const now = this.#session.core.clock()
    const isThere = ({ kept, replay }: Earlier) =>
      (replay !== Replay.SESSION || sessionHistory?.has(kept) === true) &&
      !isExpired(kept.message, kept.body, now)
    this.#replay(this.#earlier.slice(0, count).filter(isThere))
    this.#earlier = this.#earlier.slice(count)
  }

  #replay(messages: readonly Earlier[]): void {
    this.#session.outbox.replay(messages, this.#room.config.structure)
  }

  /** What retention, or the window, has taken meanwhile. */
  #skipLost(): void {
    const before = this.#history.reach
    if (before <= this.#through) return
    this.#tellLost(before, Code.RETENTION)
    this.#through = before
  }

  /** The room keeps another history now, of which he gets all. */
  #renumbered(): void {
    const { last } = this.#history
    if (last > this.#through) this.#tellLost(last, Code.EPOCH_CHANGED)
    this.#history = this.#room.history
    this.#through = this.#history.begins
    this.#asked = this.#through
  }

  #tellLost(last: number, code: Code): void {
    const value = {
      route: this.#room.place.route,
      fromSequence: BigInt(this.#through + 1),
      toSequence: BigInt(last),
      count: last - this.#through,
      code,
    }
    this.#session.send(0, { case: 'room', value: { action: { case: 'lost', value } } })
  }

  #goLive(): void {
    const { place } = this.#room
    // What he hears by other subscriptions up to here comes before he is told where he is.
    this.member.audience?.flush()
    const value = {
      route: place.route,
      address: this.#address,
      sequence: BigInt(place.sequence),
    }
    this.#session.send(0, { case: 'room', value: { action: { case: 'caughtUp', value } } })
    if (!this.repeats) for (const filter of this.#filters) place.listen(this.member, filter)
    this.#filters = []
    this.#session.changed()
    this.#end()
  }

  #end(): void {
    const session = this.#session
    const isFirst = session.catchingUp[0] === this
    session.catchingUp = session.catchingUp.filter((each) => each !== this)
    const [next] = session.catchingUp
    if (isFirst && next && !session.closed) session.core.catchUps.next(next)
  }

  #retry(error: unknown): void {
    if (this.#isOver) return
    const { core, id } = this.#session
    const { name: room } = this.#room.place
    if (!this.#failed) core.log.warn({ socket: id, room, err: error }, 'catching up has to wait')
    this.#failed = true
    this.#later()
  }
}

/** Filters that a member does not listen to yet, but will when he has caught up. */
export function pendingFilters({ catchingUp }: Session, member: Membership): string[] {
  return catchingUp.flatMap((each) => {
    return each.member === member && !each.repeats ? each.filters : []
  })
}

/** Of a member's pending filters only those go on that `keeps` says. */
export function narrowPending(
  { catchingUp }: Session,
  member: Membership,
  keeps: (filter: string) => boolean,
): void {
  for (const each of catchingUp) if (each.member === member) each.narrow(keeps)
}
