import type { Joined } from '@porthouse/proto/v1/room'
import { codeInfo } from './code.ts'
import { PorthouseError } from './error.ts'
import type { Lost, Message } from './message.ts'
import type { Position, Since } from './position.ts'

/** What is missed where a listener could not go on where it was; see Lost. */
export type Missed = Omit<Lost, 'address' | 'count'>

/** Who may wait for what was before. */
export interface CatchingUp {
  readonly catchingUp: boolean
  /** Another object whenever it gets further. */
  readonly position: Required<Position> | undefined
}

const HELD_BYTES_MAX = 16 * 2 ** 20

interface Held {
  readonly message: Message
  readonly bytes: number
}

/**
 * How far one listener is in one order of messages, over all its connections, so that each message
 * is delivered once (R43): positions rise, what does not rise is known already.
 */
export class Course implements CatchingUp {
  readonly #deliver: (message: Message, bytes: number) => void
  #position: Required<Position> | undefined
  /** All that was to be heard after this one, up to the position, was delivered. */
  #from = 0n
  /** All up to this one was delivered, or told as missed, before the connection there is now. */
  #floor = 0n
  #held: Held[] | undefined
  #heldBytes = 0

  constructor(deliver: (message: Message, bytes: number) => void) {
    this.#deliver = deliver
  }

  /** Of the last message delivered, or of what it began after. */
  get position(): Required<Position> | undefined {
    return this.#position
  }

  /** Whether what is live waits for what was before it. */
  get catchingUp(): boolean {
    return this.#held !== undefined
  }

  /** Whether it has delivered a message that it is to hear. */
  has({ epoch, sequence }: Message): boolean {
    const position = this.#position
    return epoch === position?.epoch && sequence > this.#from && sequence <= position.sequence
  }

  /**
   * Listening begins; with `since` where the application said so, else where it ended. Says what
   * was missed.
   */
  begin({ epoch, sequence, backlog }: Joined, since?: Since): Missed | undefined {
    const before = since === undefined ? this.#position : asked(since, epoch)
    const replays = backlog && (backlog.recovered || codeInfo(backlog.code).name !== 'NO_HISTORY')
    const start = replays ? backlog.afterSequence : sequence
    const isSame = before?.epoch === epoch
    const goesOn = isSame && (before.sequence === start || backlog?.recovered === true)
    const isKnown = isSame && since === undefined
    this.#floor = isKnown ? before.sequence : 0n
    if (!goesOn || !isKnown) this.#from = start
    if (!goesOn || !isKnown || start > before.sequence) this.#position = { epoch, sequence: start }
    if (replays) this.#held ??= []
    else this.caughtUp()
    if (backlog?.recovered || goesOn || (!before && !backlog)) return undefined
    // Whoever wants all that is kept misses nothing, unless nothing ever is.
    if (since === 'start' && replays) return undefined
    return {
      epoch: before?.epoch ?? epoch,
      from: before ? before.sequence + 1n : 0n,
      to: isSame || !before ? start : 0n,
      code: backlog?.code ? codeInfo(backlog.code).name : isSame ? 'NO_HISTORY' : 'EPOCH_CHANGED',
    }
  }

  /** Positions begin anew, and nothing was missed. */
  renew({ epoch, sequence }: Joined): void {
    if (!this.#position || this.#position.epoch === epoch) return
    this.#position = { epoch, sequence }
    this.#from = sequence
    this.#floor = 0n
  }

  /** What is to come is asked for, and what is live waits for it. */
  wait(): void {
    this.#held ??= []
  }

  /** What was asked for has come, up to a position. Throws as `take`. */
  caughtUp(sequence = 0n): void {
    if (!this.#held) return
    const held = this.#held
    this.#held = undefined
    this.#heldBytes = 0
    // First what waited: of a client's own channel some of it is not in the history as well.
    for (const { message, bytes } of held) this.take(message, bytes)
    if (this.#position && sequence > this.#position.sequence) {
      this.#position = { ...this.#position, sequence }
    }
  }

  /** The connection is gone; what was held comes again. */
  away(): void {
    this.#held = undefined
    this.#heldBytes = 0
  }

  /** Delivers what is new. Throws SLOW_CONSUMER where more is live than can wait. */
  take(message: Message, bytes: number): void {
    const { replay } = message
    if (message.sequence === 0n) return this.#deliver(message, bytes)
    if (replay === 'session' || replay === 'retained') return this.#again(message, bytes)
    if (replay === 'history' ? !this.#held : this.#held) return this.#hold(message, bytes)
    const { epoch, sequence } = message
    if (this.#position?.epoch === epoch) {
      if (sequence <= this.#position.sequence) return
    } else {
      this.#from = sequence - 1n
      this.#floor = 0n
    }
    this.#position = { epoch, sequence }
    this.#deliver(message, bytes)
  }

  // What lies after the start comes in its turn; of the rest, what came before is known.
  #again(message: Message, bytes: number): void {
    const { epoch, sequence } = message
    const isSame = epoch === this.#position?.epoch
    if (isSame && (sequence <= this.#floor || sequence > this.#from)) return
    this.#deliver(message, bytes)
  }

  #hold(message: Message, bytes: number): void {
    // History that was not asked for is another listener's.
    if (message.replay === 'history') return
    this.#heldBytes += bytes
    if (this.#heldBytes > HELD_BYTES_MAX) throw new PorthouseError('SLOW_CONSUMER')
    this.#held?.push({ message, bytes })
  }
}

/** The position that a listener asked to begin after, where that is one. */
function asked(since: Since, current: bigint): Required<Position> | undefined {
  if (typeof since === 'string' || (typeof since === 'object' && 'last' in since)) return undefined
  if (typeof since !== 'object') return { epoch: current, sequence: BigInt(since) }
  return { epoch: since.epoch || current, sequence: since.sequence }
}
