/**
 * What a room does with a message beside sending it: what stands before its position (a program,
 * the durable history), and who keeps it afterwards. The router declares both and the rooms bring
 * them; where a room has none, its messages go straight to their hearers.
 */

import type { Step } from '@porthouse/proto/admin/v1/trail'
import type { Refusal } from '../protocol/codes.ts'
import type { EnvelopeBody, Stamp } from '../protocol/packet-writer.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import type { MessageKey } from '../store/history.ts'
import type { Waiter } from './idempotency.ts'
import type { Membership } from './membership.ts'
import type { Place } from './place.ts'
import type { Leg } from './trail.ts'

/** A message on its way to a room. */
export interface RoomMessage extends Stamp {
  /** Mark of the socket that sent it. */
  readonly origin: symbol
  /** It asks to be the last value of its channel. */
  readonly retain: boolean
  /** Given last of all, in the order of delivery. */
  sequence: number
}

/** A message with memory of its own, and nothing of its sender's. */
export interface OwnMessage {
  readonly message: RoomMessage
  /** `` for the room itself. */
  readonly channel: string
  readonly body: EnvelopeBody
}

/** One that has to wait for its position. */
export interface WaitingMessage extends OwnMessage {
  readonly place: Place
  /** Who sent it, which may have left since. */
  readonly sender: Membership
  readonly key: MessageKey | undefined
  /** Where those who decide about it note it; undefined where nobody asks. */
  readonly leg: Leg | undefined
  /** Who is told what becomes of it. */
  readonly waiter: Waiter
}

export interface Intake {
  /** At which step its messages wait; undefined where they do not. */
  readonly step?: Step
  /** Takes a message; the order in which it takes them is kept. */
  take(waiting: WaitingMessage): void
}

/** Is shown each message of a room in the order of positions, before it is heard. */
export interface Keeper {
  /** Why it cannot be kept, and must not be sent: undefined where it can. */
  refuses(sender: Membership, channel: string, envelope: ScannedEnvelope): Refusal | undefined
  /** Whether it does, so that a message that nobody hears is not void (R29). */
  keep(message: OwnMessage, sender: Membership): boolean
}

/** What may be kept of it once it has its position. */
export function ownOf({ message, channel, body }: WaitingMessage): OwnMessage {
  return { message, channel, body }
}

/** UTF-8 in memory of its own: a piece of Node's pool would hold all of that for as long. */
export function ownText(text: string): Buffer {
  const own = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  own.write(text)
  return own
}

/** The body alone, in memory of its own. */
export function ownBody(envelope: EnvelopeBody): EnvelopeBody {
  const { bytes, start, cutStart, cutEnd, end, content, contentStart, contentEnd } = envelope
  const { expiresAfter, quality, retained } = envelope
  const own = Buffer.allocUnsafeSlow(cutStart - start + end - cutEnd)
  bytes.copy(own, 0, start, cutStart)
  if (cutEnd < end) bytes.copy(own, cutStart - start, cutEnd, end)
  const moved = contentStart >= cutEnd ? start + cutEnd - cutStart : start
  return {
    bytes: own,
    start: 0,
    cutStart: own.length,
    cutEnd: own.length,
    end: own.length,
    content,
    contentStart: content === 0 ? 0 : contentStart - moved,
    contentEnd: content === 0 ? 0 : contentEnd - moved,
    expiresAfter,
    quality,
    retained,
  }
}
