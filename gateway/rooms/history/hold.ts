/** Holds a room's messages in their order while its history is changed for another. */
import { Code } from '@porthouse/proto/v1/code'
import { refused } from '../../router/destination.ts'
import type { Intake, WaitingMessage } from '../../router/intake.ts'

const HELD_MAX = 1_000

export class Hold implements Intake {
  readonly #held: WaitingMessage[] = []

  take(waiting: WaitingMessage): void {
    if (this.#held.length < HELD_MAX) this.#held.push(waiting)
    else waiting.settle(refused('', Code.QUEUE_FULL, "the room's history is being changed"))
  }

  /** They go on, before all that comes now. */
  release(to: Intake): void {
    for (const waiting of this.#held) to.take(waiting)
  }
}
