/** What became of one envelope, gathered over its destinations; what a receipt is made of (R30). */
import { Code } from '@porthouse/proto/v1/code'
import { ReceiptLevel, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import type { Refusal } from '../protocol/codes.ts'
import type { MessageId } from '../protocol/uuid7.ts'
import { type RefusedDestination, refusedFor } from './destination.ts'
import type { Remembered, Waiter } from './idempotency.ts'
import type { Leg, Trail } from './trail.ts'

const NONE: readonly RefusedDestination[] = []

export class Outcome {
  /** Of the message itself. */
  readonly ownId: MessageId
  /** The ReceiptLevel asked for. */
  readonly level: number
  /** Undefined where nobody asks for it. */
  readonly trail: Trail | undefined
  sockets = 0
  /** Where it was sent to exactly one room; else 0. */
  sequence = 0
  epoch = 0
  refusals: readonly RefusedDestination[] = NONE
  #sent = 0
  #stored = 0
  #kept = 0
  #duplicates = 0
  #firstId: MessageId | undefined
  #pending = 0
  /** Of those that will tell later: who cannot say yet that the message is taken. */
  #held = 0
  #isRouted = false
  #whenDue: (() => void) | undefined
  #whenSettled: (() => void) | undefined

  constructor(ownId: MessageId, level: number, trail?: Trail) {
    this.ownId = ownId
    this.level = level
    this.trail = trail
  }

  sent(facts: Remembered, leg?: Leg): void {
    this.#sent++
    this.#add(facts)
    leg?.sent(facts)
  }

  /** Sent before, under the same key: the first one's facts. */
  duplicate(first: Remembered, leg?: Leg): void {
    this.#duplicates++
    this.#firstId ??= first.id
    this.#add(first)
    leg?.duplicate(first)
  }

  refuse(refusal: RefusedDestination, leg?: Leg): void {
    this.refusals = [...this.refusals, refusal]
    leg?.refused(refusal)
  }

  /** One of its destinations, named so, will tell later. */
  expect(name: string, isDuplicate: boolean, leg: Leg | undefined): Waiter {
    this.#pending++
    this.#held++
    return new Expected(this, name, isDuplicate, leg)
  }

  /** One of those that will tell later says that the message is taken. */
  accepted(): void {
    this.#held--
    this.#tellIfDue()
  }

  /** One of them has told; `wasHeld`: it had not said before that the message is taken. */
  told(wasHeld: boolean): void {
    this.#pending--
    if (wasHeld) this.#held--
    if (this.settled && this.#isRouted) this.trail?.ends()
    this.#tellIfDue()
    if (this.settled) this.#whenSettled?.()
  }

  /** All of its destinations have been seen to, though some may tell later. */
  routed(): void {
    this.#isRouted = true
    this.trail?.routed(this.#pending > 0)
  }

  /** It has come as far as its level asks. */
  get due(): boolean {
    return this.settled || (this.#held === 0 && this.level === ReceiptLevel.ACCEPTED)
  }

  /** Calls back once it has. */
  whenDue(run: () => void): void {
    this.#whenDue = run
  }

  #tellIfDue(): void {
    const run = this.#whenDue
    if (!run || !this.due) return
    this.#whenDue = undefined
    run()
  }

  /** All of its destinations have told what became of it. */
  get settled(): boolean {
    return this.#pending === 0
  }

  /** Calls back once all have told. */
  whenSettled(run: () => void): void {
    this.#whenSettled = run
  }

  #add(facts: Remembered): void {
    const only = this.#sent + this.#duplicates === 1
    this.sockets += facts.sockets
    this.sequence = only ? facts.sequence : 0
    this.epoch = only ? facts.epoch : 0
    if (facts.stored) this.#stored++
    if (facts.kept) this.#kept++
  }

  /**
   * What the receipt names: the message, or the first one where nothing was sent but duplicates.
   */
  get id(): MessageId {
    return this.#sent === 0 && this.#firstId ? this.#firstId : this.ownId
  }

  /** How many it had. */
  get destinations(): number {
    return this.#sent + this.#duplicates + this.refusals.length
  }

  get status(): ReceiptStatus {
    if (this.#pending > 0 && this.level === ReceiptLevel.ACCEPTED) return ReceiptStatus.ACCEPTED
    if (this.#sent === 0 && this.#duplicates > 0) return ReceiptStatus.DUPLICATE
    if (this.#sent === 0 && this.refusals.length > 0) return ReceiptStatus.REJECTED
    if (this.level === ReceiptLevel.ACCEPTED) return ReceiptStatus.ACCEPTED
    if (this.level === ReceiptLevel.STORED) return ReceiptStatus.STORED
    if (this.sockets > 0) return ReceiptStatus.ROUTED
    if (this.#stored > 0) return ReceiptStatus.STORED
    // Reached nobody; something keeps it all the same (R29).
    return this.#kept > 0 ? ReceiptStatus.ACCEPTED : ReceiptStatus.VOID
  }

  /** Of the first refusal. */
  get code(): Code {
    return this.refusals[0]?.code ?? Code.UNSPECIFIED
  }
}

/** A destination that will tell later: one object, where closures would be five a message. */
class Expected implements Waiter {
  readonly #outcome: Outcome
  readonly #name: string
  readonly #isDuplicate: boolean
  readonly #leg: Leg | undefined
  #isOpen = true
  #isHeld = true

  constructor(outcome: Outcome, name: string, isDuplicate: boolean, leg: Leg | undefined) {
    this.#outcome = outcome
    this.#name = name
    this.#isDuplicate = isDuplicate
    this.#leg = leg
  }

  accept(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#outcome.accepted()
  }

  settle(end: Remembered | RefusedDestination): void {
    if (!this.#isOpen) return this.#leg?.settledLate(end)
    const name = this.#name
    if ('kind' in end) this.#outcome.refuse({ ...end, name }, this.#leg)
    else if (this.#isDuplicate) this.#outcome.duplicate(end, this.#leg)
    else this.#outcome.sent(end, this.#leg)
    this.#close()
  }

  doubt(refusal: Refusal): void {
    if (!this.#isOpen) return
    this.#outcome.refuse(refusedFor(this.#name, refusal), this.#leg)
    this.#close()
  }

  #close(): void {
    const wasHeld = this.#isHeld
    this.#isOpen = false
    this.#isHeld = false
    this.#outcome.told(wasHeld)
  }
}
