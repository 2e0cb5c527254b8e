/**
 * What stands between the permission to send to a room and the message's position in it: the room's
 * program, its durable history. The router declares it and the rooms bring it; where a room has
 * none, its messages go straight to their hearers.
 */
import type { Stamp } from '../protocol/packet-writer.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import type { MessageKey } from '../store/history.ts'
import type { RefusedDestination } from './destination.ts'
import type { Remembered } from './idempotency.ts'
import type { Membership, Place } from './place.ts'
import type { Socket } from './socket.ts'

/** What writers need of an envelope: its bytes but the routing, in two spans. */
export type EnvelopeBody = Pick<
  ScannedEnvelope,
  'bytes' | 'start' | 'cutStart' | 'cutEnd' | 'end' | 'content' | 'contentStart' | 'contentEnd'
>

/** A message on its way to a room. */
export interface RoomMessage extends Stamp {
  /** Who sent it and shall not hear it; undefined where the room echoes. */
  readonly origin: Socket | undefined
  /** Given last of all, in the order of delivery. */
  sequence: number
}

/** One that has to wait, with memory of its own. */
export interface WaitingMessage {
  readonly place: Place
  readonly message: RoomMessage
  /** `` for the room itself. */
  readonly channel: string
  readonly body: EnvelopeBody
  /** Who sent it, which may have left since. */
  readonly sender: Membership
  readonly key: MessageKey | undefined
  /** It is to be the last value of its channel. */
  readonly retain: boolean
  /** It was delivered, or refused; called once, unless it is refused after all. */
  settle(end: Remembered | RefusedDestination): void
}

export interface Intake {
  /** Takes a message; the order in which it takes them is kept. */
  take(waiting: WaitingMessage): void
}
