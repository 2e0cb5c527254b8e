import { create } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { BacklogSchema, type Joined } from '@porthouse/proto/v1/room'
import type { CatchingUp } from './course.ts'
import { PorthouseError } from './error.ts'
import type { FetchOptions } from './history.ts'
import { after, joinBody, joinQuestion } from './join.ts'
import { leadsNowhere } from './pages.ts'
import { backlogOf, type Since } from './position.ts'
import type { Queue } from './queue.ts'
import type { Entering, Membership, Stay } from './room.ts'
import { type Turn, Turns } from './turns.ts'

/** What entering a place means to the session. */
export interface JoinsHost {
  readonly queue: Queue
  find(address: string): Membership | undefined
  enter(joined: Joined, stay: Stay, entering?: Entering): Membership
  /** A room could not be joined again. */
  refused(room: Membership, error: PorthouseError): void
  /** What was before is to come now. */
  expectPast(who: CatchingUp): void
}

export interface JoinTerms {
  /** For a listener only. */
  readonly since: Since | undefined
  readonly signal: AbortSignal | undefined
}

// Most that a page may have.
const PAGE = 1000

/** Who enters a place when, and how it comes to what it missed (R43). */
export class Joins {
  readonly #host: JoinsHost
  readonly #turns = new Turns()
  readonly #turnOf = new Map<Membership, Turn>()
  #late: Membership[] = []
  #byUrl: { room: Membership; joined: Joined; later: boolean } | undefined
  /** Of the connection there is. */
  #signal = AbortSignal.abort()

  constructor(host: JoinsHost) {
    this.#host = host
  }

  /** Rejects as `Queue.ask`. */
  async join(address: string, stay: Stay, { since, signal }: JoinTerms): Promise<Membership> {
    const backlog = since === undefined ? undefined : backlogOf(since)
    const turn = backlog && (this.#turns.take(address) ?? (await this.#turns.wait(address)))
    const question = joinQuestion(address, joinBody(address, stay, backlog), {
      repeatable: true,
      enter: (joined) => {
        const room = this.#host.enter(joined, stay, { since })
        if (turn) this.#follow(room, turn)
        return room
      },
    })
    try {
      return await this.#host.queue.ask(question, signal)
    } catch (error) {
      if (turn) this.#turns.end(turn)
      throw error
    }
  }

  /** A new connection, until the signal: which rooms are joined at once; the rest comes later. */
  begin(rooms: Iterable<Membership>, signal: AbortSignal): Membership[] {
    this.#signal = signal
    this.#turns.clear()
    this.#turnOf.clear()
    this.#late = []
    this.#byUrl = undefined
    const now: Membership[] = []
    for (const room of rooms) {
      const turn = room.position && this.#turns.take(room.address)
      if (turn) this.#turnOf.set(room, turn)
      if (turn || !room.position) now.push(room)
      else this.#late.push(room)
    }
    return now
  }

  /** One of those that were joined at once is in. */
  returned(room: Membership): void {
    const turn = this.#turnOf.get(room)
    this.#turnOf.delete(room)
    if (turn) this.#follow(room, turn)
  }

  /** The room of the URL is in again; `later`: it has to ask for what it missed. */
  byUrl(room: Membership, joined: Joined, later: boolean): void {
    this.#byUrl = { room, joined, later }
  }

  /** All that was asked at once is answered. */
  established(): void {
    for (const room of this.#late.splice(0)) void this.#return(room)
    if (!this.#byUrl) return
    const { room, joined, later } = this.#byUrl
    this.#byUrl = undefined
    if (later) void this.#refill(room, joined)
    if (room.stay.replayed || room.stay.presence) void this.#ask(room)
  }

  /** The connection is gone. */
  away(): void {
    this.#turns.clear()
  }

  /** Others that would hear the same wait until it has caught up. */
  #follow(room: Membership, turn: Turn): void {
    const end = () => this.#turns.end(turn)
    if (!room.catchingUp) return end()
    room.caughtUp.then(end, end)
    this.#host.expectPast(room)
  }

  /** A URL says no more than where; what else a stay is to be is asked for. */
  async #ask({ address, stay }: Membership): Promise<void> {
    const signal = this.#signal
    const question = joinQuestion(address, joinBody(address, stay, undefined), {
      repeatable: false,
      enter: (joined) => this.#host.enter(joined, stay),
    })
    await this.#host.queue.ask(question, signal).catch(() => {})
  }

  async #return(room: Membership): Promise<void> {
    const signal = this.#signal
    const { address, stay } = room
    const turn = await this.#turns.wait(address)
    const isGone = () => signal.aborted || this.#host.find(address) !== room
    if (isGone()) return this.#turns.end(turn)
    const question = joinQuestion(address, joinBody(address, stay, after(room.position)), {
      repeatable: false,
      enter: (joined) => {
        this.#follow(this.#host.enter(joined, stay), turn)
        return joined
      },
    })
    try {
      await this.#host.queue.ask(question, signal)
    } catch (error) {
      this.#turns.end(turn)
      if (!isGone() && error instanceof PorthouseError) this.#host.refused(room, error)
    }
  }

  /** Asks for what was missed page by page; what is live waits for it as after a Join. */
  async #refill(room: Membership, joined: Joined): Promise<void> {
    const signal = this.#signal
    const { position, stay } = room
    const enter = (sequence: bigint, code: Code) => {
      const recovered = code === Code.UNSPECIFIED
      const backlog = create(BacklogSchema, { recovered, afterSequence: sequence, code })
      this.#host.enter({ ...joined, backlog }, stay)
    }
    const fetch = (options: FetchOptions) => room.fetch({ ...options, limit: PAGE, signal })
    try {
      if (position?.epoch !== joined.epoch) throw new PorthouseError('EPOCH_CHANGED')
      let page = await fetch({ after: position })
      let reached = position.sequence
      const isWhole = page.first <= position.sequence + 1n
      if (isWhole) enter(position.sequence, Code.UNSPECIFIED)
      else enter(page.first - 1n, Code.RETENTION)
      for (;;) {
        const { messages, moreAfter } = page
        for (const message of messages)
          if (message.sequence <= joined.sequence) room.take(message, 0)
        const last = messages.at(-1)
        if (!moreAfter || !last || last.sequence >= joined.sequence) break
        if (last.sequence <= reached) throw leadsNowhere()
        reached = last.sequence
        page = await fetch({ after: last })
      }
    } catch (error) {
      if (signal.aborted || !(error instanceof PorthouseError)) return
      enter(joined.sequence, Code[error.code as keyof typeof Code] ?? Code.UNAVAILABLE)
    }
    room.arrive(joined.sequence)
  }
}
