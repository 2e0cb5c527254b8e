/** What waits for a room's program, in order, within the bounds of the room and of its account. */

import type { Waiting } from '../rooms/history/writer.ts'
import type { WaitingMessage } from '../router/intake.ts'
import type { Membership } from '../router/membership.ts'

export type Entry =
  | { readonly kind: 'message'; readonly waiting: WaitingMessage; readonly since: number }
  | { readonly kind: 'initial'; readonly member: Membership; readonly again: boolean }
  | { readonly kind: 'left'; readonly member: Membership }

/** Bytes that messages for one account's programs hold. */
export class Allowance {
  readonly #max: number
  #used = 0
  #messages = 0

  constructor(max: number) {
    this.#max = max
  }

  get bytes(): number {
    return this.#used
  }

  get messages(): number {
    return this.#messages
  }

  take(bytes: number): boolean {
    if (this.#used + bytes > this.#max) return false
    this.hold(bytes)
    return true
  }

  /** Takes what was allowed before. */
  hold(bytes: number): void {
    this.#used += bytes
    this.#messages++
  }

  give(bytes: number): void {
    this.#used -= bytes
    this.#messages--
  }
}

export class Queue {
  readonly #max: number
  readonly #allowance: Allowance
  #entries: Entry[] = []
  #messages = 0

  /** `max`: messages. */
  constructor(max: number, allowance: Allowance) {
    this.#max = max
    this.#allowance = allowance
  }

  get size(): number {
    return this.#entries.length
  }

  /** Messages among what waits. */
  *messages(): IterableIterator<Waiting> {
    for (const entry of this.#entries) {
      if (entry.kind !== 'message') continue
      const { waiting: message, since } = entry
      yield { message, bytes: sizeOf(message), since }
    }
  }

  /** False where there is no place for it. */
  addMessage(waiting: WaitingMessage, since: number): boolean {
    if (this.#messages >= this.#max || !this.#allowance.take(sizeOf(waiting))) return false
    this.#messages++
    this.#entries.push({ kind: 'message', waiting, since })
    return true
  }

  /** Comings and goings are as many as sockets, which has a bound of its own. */
  add(entry: Exclude<Entry, { kind: 'message' }>): void {
    this.#entries.push(entry)
  }

  /** Those go before all that waits. */
  addFirst(entries: readonly Entry[]): void {
    for (const entry of entries) if (entry.kind === 'message') this.#hold(entry)
    this.#entries = [...entries, ...this.#entries]
  }

  shift(): Entry | undefined {
    const entry = this.#entries.shift()
    if (entry?.kind === 'message') this.#release(entry)
    return entry
  }

  /** Takes out somebody's coming that has not been told yet; false where it has. */
  forgetInitial(member: Membership): boolean {
    const at = this.#entries.findIndex((each) => each.kind === 'initial' && each.member === member)
    if (at !== -1) this.#entries.splice(at, 1)
    return at !== -1
  }

  /** Whose coming is still to be told. */
  get awaited(): Set<Membership> {
    const initial = this.#entries.filter((entry) => entry.kind === 'initial')
    return new Set(initial.map(({ member }) => member))
  }

  #hold({ waiting }: Extract<Entry, { kind: 'message' }>): void {
    this.#messages++
    this.#allowance.hold(sizeOf(waiting))
  }

  #release({ waiting }: Extract<Entry, { kind: 'message' }>): void {
    this.#messages--
    this.#allowance.give(sizeOf(waiting))
  }
}

function sizeOf({ body }: WaitingMessage): number {
  return body.end - body.start
}
