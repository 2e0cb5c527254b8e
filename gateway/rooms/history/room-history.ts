/**
 * What one loaded room has of its past, whichever way it keeps it: what a position still means
 * here, and pages of what was sent after or before it.
 */
import { Code } from '@porthouse/proto/v1/code'
import { matchesAny } from '../../protocol/channel.ts'
import type { Intake, Keeper, OwnMessage } from '../../router/intake.ts'
import type { Place } from '../../router/place.ts'
import type { Window } from '../../router/window.ts'
import type { Histories, HistoryHead, PageRange } from '../../store/history.ts'
import { Page, replayed } from './page.ts'
import type { RecentPages } from './recent-pages.ts'
import type { Claim } from './writer.ts'

/** Where a backlog begins, and whether that is where it was to begin. */
export interface Beginning {
  /** What comes is after this position. */
  readonly after: number
  /** Why it is another than was asked for; UNSPECIFIED where nothing is missing. */
  readonly code: Code
}

/** A position as it was told: epoch 0 for whichever there is now. */
export interface Told {
  readonly epoch: number
  readonly sequence: number
}

/** In memory beside a durable history, so that who catches up goes live in one step. */
export const TAIL = { messages: 128, bytes: 65_536, ageMs: 60_000 }

interface Stored {
  readonly histories: Histories
  readonly claim: Claim
  readonly intake: Intake
  readonly pages: RecentPages
}

export class RoomHistory implements Keeper {
  readonly place: Place
  readonly kind: 'none' | 'window' | 'durable'
  readonly window: Window<OwnMessage>
  /** Position that it was opened at. */
  readonly begins: number
  readonly #now: () => number
  readonly #stored: Stored | undefined
  /** Of a durable one, as far as it is known here. */
  #first: number
  /** The last position of all, once the room keeps another history. */
  #end: number | undefined

  constructor(
    place: Place,
    kind: 'none' | 'window' | 'durable',
    window: Window<OwnMessage>,
    now: () => number,
    stored?: Stored & { readonly head: HistoryHead },
  ) {
    this.place = place
    this.kind = kind
    this.window = window
    this.begins = place.sequence
    this.#now = now
    this.#stored = stored
    this.#first = stored?.head.first ?? 0
  }

  /** What messages have to pass to be stored; undefined where they are not. */
  get intake(): Intake | undefined {
    return this.#stored?.intake
  }

  /** Something still waits to be stored. */
  get isBusy(): boolean {
    return (this.#stored?.claim.waiting ?? 0) > 0
  }

  /** Calls back, once, when nothing waits to be stored. */
  whenIdle(run: () => void): void {
    if (this.#stored) this.#stored.claim.whenIdle(run)
    else run()
  }

  /** The room keeps another one from now on; what was not read of this one is lost. */
  end(): void {
    this.#end = this.place.sequence
  }

  get last(): number {
    return this.#end ?? this.place.sequence
  }

  refuses(): undefined {}

  /** Into the window, which of a room that keeps nothing is only the tail of others' replays. */
  keep(message: OwnMessage): boolean {
    this.window.push(message, this.#now())
    return this.kind !== 'none'
  }

  /** Position of the first message that can be had; one after the last where none can. */
  get first(): number {
    if (this.kind === 'none') return this.place.sequence + 1
    return this.#stored ? this.#first : this.#fresh.before + 1
  }

  /** Position after which pages have everything, those of a mere tail among them. */
  get reach(): number {
    if (this.kind !== 'none') return this.first - 1
    // Where nobody keeps anything there is not even a tail.
    return this.place.keeper ? this.#fresh.before : this.place.sequence
  }

  /** Without what is too old by now, though nothing was sent since. */
  get #fresh(): Window<OwnMessage> {
    this.window.forget(this.#now())
    return this.window
  }

  /** Retention has taken what was before. */
  trimmed({ first }: HistoryHead): void {
    this.#first = Math.max(this.#first, first)
  }

  /** What comes to whoever knows a position; 0 of no epoch: the beginning of what there is. */
  since({ epoch, sequence }: Told): Beginning {
    const { place, first, kind } = this
    const before = first - 1
    if (epoch === 0 && sequence === 0) {
      // What was sent before such a room was loaded is not even counted.
      return { after: before, code: kind === 'none' ? Code.NO_HISTORY : Code.UNSPECIFIED }
    }
    if (epoch !== 0 && epoch !== place.epoch) return { after: before, code: Code.EPOCH_CHANGED }
    if (sequence > place.sequence) {
      return { after: place.sequence, code: Code.POSITION_UNKNOWN }
    }
    if (sequence >= before) return { after: sequence, code: Code.UNSPECIFIED }
    const code = kind === 'none' ? Code.NO_HISTORY : Code.RETENTION
    return { after: before, code }
  }

  /** A page. Rejects with StoreError. Who asks for the same within a second may get the same. */
  page(range: PageRange): Page | Promise<Page> {
    const after = range.after ?? 0
    const inMemory = range.from === 'start' && this.#fresh.covers(after)
    if (inMemory || !this.#stored) return this.#fromWindow(range)
    const { claim, pages } = this.#stored
    // What is at a position changes with nothing but these.
    const key = `${claim.roomId} ${this.place.epoch} ${this.#first} ${JSON.stringify(range)}`
    return pages.get(key, range.limit, () => this.#fromStore(range))
  }

  async #fromStore(range: PageRange): Promise<Page> {
    const { histories, claim } = this.#stored as Stored
    const page = await histories.page(claim.roomId, range)
    const messages = page.messages.map((stored) => replayed(this.place, stored))
    return new Page(this.place, messages, page)
  }

  #fromWindow({ after = 0, before, from, limit, bytes, filters }: PageRange): Page {
    const end = before ?? Number.POSITIVE_INFINITY
    const all = this.#fresh
      .after(after)
      .filter(({ message, channel }) => message.sequence < end && matchesAny(filters, channel))
    const ordered = from === 'start' ? all : all.toReversed()
    const taken: OwnMessage[] = []
    let size = 0
    for (const each of ordered) {
      size += each.body.end - each.body.start
      if (taken.length > 0 && (taken.length >= limit || size > bytes)) break
      taken.push(each)
    }
    const more = taken.length < ordered.length
    const last = taken.at(-1)?.message.sequence ?? 0
    const edge = from === 'start' ? Math.min(this.place.sequence, end - 1) : this.first
    const messages: OwnMessage[] = from === 'start' ? taken : taken.toReversed()
    return new Page(this.place, messages, { through: more ? last : edge, more })
  }
}
