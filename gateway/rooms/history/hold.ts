/**
 * Holds a room's messages in their order while its history is changed for another: no more of them,
 * and no longer, than messages may wait for the store.
 */
import { Step } from '@porthouse/proto/admin/v1/trail'
import { Code } from '@porthouse/proto/v1/code'
import { refused } from '../../router/destination.ts'
import type { Intake, WaitingMessage } from '../../router/intake.ts'
import { sizeOf } from '../../router/window.ts'

export interface HoldOptions {
  readonly bytes: number
  /** How long a sender waits, in milliseconds. */
  readonly waitMs: number
}

export class Hold implements Intake {
  readonly #held: WaitingMessage[] = []
  #left: number
  #isLate = false
  readonly #timer: NodeJS.Timeout

  constructor({ bytes, waitMs }: HoldOptions) {
    this.#left = bytes
    this.#timer = setTimeout(() => this.#refuseAll(), waitMs).unref()
  }

  take(waiting: WaitingMessage): void {
    this.#left -= sizeOf(waiting)
    if (this.#isLate) refuse(waiting, Code.UNAVAILABLE)
    else if (this.#left < 0) refuse(waiting, Code.QUEUE_FULL)
    else {
      waiting.leg?.waits(Step.STORE)
      this.#held.push(waiting)
    }
  }

  /** They go on, before all that comes now. */
  release(to: Intake): void {
    clearTimeout(this.#timer)
    for (const waiting of this.#held.splice(0)) {
      waiting.leg?.goesOn()
      to.take(waiting)
    }
  }

  #refuseAll(): void {
    this.#isLate = true
    for (const waiting of this.#held.splice(0)) refuse(waiting, Code.UNAVAILABLE)
  }
}

function refuse(waiting: WaitingMessage, code: Code): void {
  waiting.waiter.settle(refused('', code, "the room's history is being changed"))
}
