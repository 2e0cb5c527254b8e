/**
 * Sockets that catch up with their rooms take turns, a page each, so that a thousand of them that
 * come back at once slow nobody who is live (R42, R46).
 */
import type { Turn } from '../../router/turn.ts'

export interface Step {
  /** Does a little, and says when it wants to go on by `next`. */
  step(): void
}

/** Pages in one event-loop turn. */
const STEPS = 4

export class CatchUps {
  readonly #turn: Turn
  readonly #ready: Step[] = []
  #scheduled = false

  constructor(turn: Turn) {
    this.#turn = turn
  }

  /** Does a step of it in one of the next turns. */
  next(step: Step): void {
    this.#ready.push(step)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#turn.next(() => this.#run())
  }

  #run(): void {
    this.#scheduled = false
    for (const each of this.#ready.splice(0, STEPS)) each.step()
    if (this.#ready.length > 0) this.#schedule()
  }
}
