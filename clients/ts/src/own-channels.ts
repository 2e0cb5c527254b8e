import type { Joined } from '@porthouse/proto/v1/room'
import { type CatchingUp, Course } from './course.ts'
import { PorthouseError } from './error.ts'
import { after, joinBody, joinQuestion } from './join.ts'
import type { Lost, Message } from './message.ts'
import type { Queue } from './queue.ts'

export interface OwnChannelsHost {
  readonly queue: Queue
  deliver(message: Message, bytes: number): void
  gap(gap: Lost): void
  fail(error: PorthouseError): void
  expectPast(who: CatchingUp): void
  /** Whether the client's channel was joined, as a room is. */
  isJoined(client: string): boolean
}

// What the gateway says is proved is counted, as all that it says.
const CLIENTS_MAX = 64

/**
 * The channels of the clients that this one is: what is sent to a client comes unasked, and what
 * came while it was away is asked for (R43).
 */
export class OwnChannels {
  readonly #host: OwnChannelsHost
  readonly #byClient = new Map<string, Course>()
  #heard = false
  /** Of the connection there is. */
  #signal = AbortSignal.abort()

  constructor(host: OwnChannelsHost) {
    this.#host = host
  }

  /** A client was proved; undefined: nothing was, or something else. */
  proved(client: string | undefined): void {
    if (!client?.startsWith('client:') || this.#byClient.has(client)) return
    if (this.#byClient.size >= CLIENTS_MAX) return
    const course = new Course((message, bytes) => this.#host.deliver(message, bytes))
    this.#byClient.set(client, course)
    void this.#ask(client, course)
  }

  /** Somebody reads what is sent to them; until then nobody misses anything. */
  hear(): void {
    if (this.#heard) return
    this.#heard = true
    this.established(this.#signal)
  }

  /** On a connection that lasts until the signal. */
  established(signal: AbortSignal): void {
    this.#signal = signal
    for (const [client, course] of this.#byClient) void this.#ask(client, course)
  }

  take(message: Message, bytes: number): void {
    const course = this.#byClient.get(message.address)
    if (course) course.take(message, bytes)
    else this.#host.deliver(message, bytes)
  }

  /** What was asked for has come. */
  caughtUp(client: string, sequence: bigint): void {
    this.#byClient.get(client)?.caughtUp(sequence)
  }

  /** The connection is gone. On the next one messages come before they are asked for. */
  away(): void {
    for (const course of this.#byClient.values()) {
      course.away()
      if (this.#heard && course.position) course.wait()
    }
  }

  /** Asks for what came after the last message; where there was none, for the position. */
  async #ask(client: string, course: Course): Promise<void> {
    const signal = this.#signal
    if (!this.#heard || signal.aborted || this.#host.isJoined(client)) return
    const { position } = course
    const body = joinBody(client, { listening: true }, after(position))
    const enter = (joined: Joined) => {
      // Where a message has told the position meanwhile, the answer is older.
      const missed = position || !course.position ? course.begin(joined) : undefined
      if (missed) this.#host.gap({ address: client, count: 0, ...missed })
      return joined
    }
    try {
      await this.#host.queue.ask(joinQuestion(client, body, { repeatable: false, enter }), signal)
      if (course.catchingUp) this.#host.expectPast(course)
    } catch (error) {
      if (signal.aborted || !(error instanceof PorthouseError)) return
      this.#giveUp(client, course, error)
    }
  }

  #giveUp(client: string, course: Course, { code }: PorthouseError): void {
    const { position } = course
    if (!course.catchingUp || !position) return
    const { epoch, sequence } = position
    this.#host.gap({ address: client, epoch, from: sequence + 1n, to: 0n, count: 0, code })
    try {
      course.caughtUp()
    } catch (error) {
      this.#host.fail(error as PorthouseError)
    }
  }
}
