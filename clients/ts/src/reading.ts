import type { Cursor } from '@porthouse/proto/v1/room'
import { PorthouseError } from './error.ts'
import type { Position } from './position.ts'
import { asFrame, type Question } from './queue.ts'

type Ask = <T>(question: Question<T>) => Promise<T>

/**
 * How far a client has read in a room. Of what is told while the gateway has not answered, the
 * furthest alone is told then: one frame is under way at most.
 */
export class Reading {
  readonly #address: string
  readonly #ask: Ask
  #cursor: bigint | undefined
  #wanted: Required<Position> | undefined
  #telling: Promise<void> | undefined

  constructor(address: string, ask: Ask) {
    this.#address = address
    this.#ask = ask
  }

  get cursor(): bigint | undefined {
    return this.#cursor
  }

  /** What the gateway says; it moves both ways where the epoch is another one. */
  is(sequence: bigint): void {
    this.#cursor = sequence
  }

  /** Resolves when the gateway knows. A cursor that is further already stays. */
  move(position: Required<Position>): Promise<void> {
    if (!this.#wanted || isFurther(position, this.#wanted)) this.#wanted = position
    // Others of this turn go along with it.
    this.#telling ??= Promise.resolve()
      .then(() => this.#tell())
      .finally(() => {
        this.#telling = undefined
      })
    return this.#telling
  }

  async #tell(): Promise<void> {
    while (this.#wanted) {
      const position = this.#wanted
      this.#wanted = undefined
      try {
        const { position: now } = await this.#ask(this.#question(position))
        this.is(now?.sequence ?? position.sequence)
      } catch (error) {
        if (!(error instanceof PorthouseError && error.code === 'CURSOR_BEHIND')) throw error
      }
    }
  }

  #question(position: Required<Position>): Question<Cursor> {
    const value = { address: this.#address, position }
    return {
      bytes: this.#address.length + 64,
      repeatable: true,
      encode: asFrame({ case: 'room', value: { action: { case: 'cursor', value } } }),
      read(answer) {
        if (answer.case !== 'room' || answer.value.action.case !== 'cursor') return undefined
        return answer.value.action.value
      },
    }
  }
}

function isFurther(one: Required<Position>, other: Required<Position>): boolean {
  return one.epoch !== other.epoch || one.sequence > other.sequence
}
