import type { Clock } from './clock.ts'

// Whatever the gateway says or asks for, no more than one heartbeat a second.
const INTERVAL_MS_MIN = 1000

interface HeartbeatHandlers {
  /** Send an empty packet. */
  beat(): void
  /** Nothing was heard for an interval after a heartbeat. */
  dead(): void
}

/** Keeps a connection alive in both directions, and finds out when it is not. */
export class Heartbeat {
  readonly #clock: Clock
  readonly #handlers: HeartbeatHandlers
  readonly #intervalMs: number
  #heardAt: number
  #spokeAt: number
  // Asked and nothing heard since; and asked, and no empty packet has come since.
  #silent = false
  #unanswered = false
  #cancel = () => {}

  constructor(intervalMs: number, clock: Clock, handlers: HeartbeatHandlers) {
    this.#intervalMs = Math.max(intervalMs, INTERVAL_MS_MIN)
    this.#clock = clock
    this.#handlers = handlers
    this.#heardAt = this.#spokeAt = clock.now()
    this.#arm(this.#intervalMs)
  }

  /** An empty packet answers ours, or asks for one; answering an answer would never end. */
  heard(empty: boolean): void {
    this.#heardAt = this.#clock.now()
    this.#silent = false
    if (!empty) return
    const question = !this.#unanswered && this.#heardAt - this.#spokeAt >= INTERVAL_MS_MIN
    this.#unanswered = false
    if (question) this.#handlers.beat()
  }

  spoke(): void {
    this.#spokeAt = this.#clock.now()
  }

  stop(): void {
    this.#cancel()
  }

  #arm(ms: number): void {
    const due = this.#clock.now() + ms
    this.#cancel = this.#clock.after(ms, () => this.#check(this.#clock.now() - due))
  }

  #check(lateMs: number): void {
    const now = this.#clock.now()
    // A timer this late means that the process slept; what came meanwhile is not read yet, so ask again.
    const slept = lateMs > this.#intervalMs / 2
    if (this.#silent && !slept) return this.#handlers.dead()
    // The gateway too counts silence, so a client that only listens has to speak.
    const quietMs = now - Math.min(this.#heardAt, this.#spokeAt)
    if (quietMs < this.#intervalMs && !this.#silent) return this.#arm(this.#intervalMs - quietMs)
    this.#silent = true
    this.#unanswered = true
    this.#handlers.beat()
    this.#arm(this.#intervalMs)
  }
}
