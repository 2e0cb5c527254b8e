import type { Clock } from './clock.ts'
import { afterTurn } from './turn.ts'

// Whatever the gateway says, no more than 20 heartbeats a second.
const INTERVAL_MS_MIN = 50

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
  // Asked, and nothing heard since.
  #silent = false
  #stopped = false
  #cancel = () => {}

  constructor(intervalMs: number, clock: Clock, handlers: HeartbeatHandlers) {
    this.#intervalMs = Math.max(intervalMs, INTERVAL_MS_MIN)
    this.#clock = clock
    this.#handlers = handlers
    this.#heardAt = this.#spokeAt = clock.now()
    this.#arm(this.#intervalMs)
  }

  /** Anything is a sign of life, and nothing is answered by one (PH-10.1). */
  heard(): void {
    this.#heardAt = this.#clock.now()
    this.#silent = false
  }

  spoke(): void {
    this.#spokeAt = this.#clock.now()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  #arm(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => this.#check())
  }

  #check(): void {
    if (this.#silent) return this.#judge()
    // The gateway too counts silence, so a client that only listens has to speak.
    const quietMs = this.#clock.now() - Math.min(this.#heardAt, this.#spokeAt)
    if (quietMs < this.#intervalMs) return this.#arm(this.#intervalMs - quietMs)
    this.#silent = true
    this.#handlers.beat()
    this.#arm(this.#intervalMs)
  }

  // After a stall of this process timers come first, and the answer may be there unread: the socket
  // is read once more, which takes one whole turn, before it is given up.
  #judge(): void {
    afterTurn(() =>
      afterTurn(() => {
        if (this.#stopped) return
        if (this.#silent) this.#handlers.dead()
        else this.#check()
      }),
    )
  }
}
