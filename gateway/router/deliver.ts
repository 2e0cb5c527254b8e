/** The last step: a message with its position goes to all who hear it. */
import type { EnvelopeBody } from '../protocol/packet-writer.ts'
import type { Audience } from './audience.ts'
import type { Remembered } from './idempotency.ts'
import { type Intake, type OwnMessage, ownOf, type RoomMessage } from './intake.ts'
import { hearsItself, type Membership } from './membership.ts'
import type { Place } from './place.ts'
import type { Leg } from './trail.ts'
import { unheardInRoom } from './unheard.ts'

/** Hands it to the audiences of its channel. Returns how many sockets are in them. */
export function fanOut(
  place: Place,
  channel: string,
  body: EnvelopeBody,
  message: RoomMessage,
  sender: Membership,
  leg: Leg | undefined,
): number {
  place.sequence = message.sequence
  place.traffic.count(channel, body.contentEnd - body.contentStart, message.timeMs)
  let sockets = 0
  for (const audience of place.audiencesOf(channel)) {
    const spares = isHis(audience, sender, channel)
    sockets += audience.size - (spares ? 1 : 0)
    const isSpared = spares && !sender.socket.topics
    audience.append(body, message, isSpared ? sender : undefined)
  }
  if (sockets === 0 && leg) unheardInRoom(leg, place, channel, sender)
  return sockets
}

/** The same number, where nothing is handed to anybody. */
export function reach(place: Place, channel: string, sender: Membership, leg: Leg): number {
  let sockets = 0
  for (const audience of place.audiencesOf(channel)) {
    sockets += audience.size - (isHis(audience, sender, channel) ? 1 : 0)
  }
  if (sockets === 0) unheardInRoom(leg, place, channel, sender)
  return sockets
}

/** He is in it, and does not hear himself. */
function isHis(audience: Audience, sender: Membership, channel: string): boolean {
  return sender.audience === audience && !hearsItself(sender, channel)
}

/** The same for one with memory of its own, which is kept as the room keeps its messages. */
export function deliver(
  place: Place,
  own: OwnMessage,
  sender: Membership,
  leg: Leg | undefined,
): Remembered {
  const { message, channel, body } = own
  const kept = place.keeper?.keep(own, sender) ?? false
  const sockets = fanOut(place, channel, body, message, sender, leg)
  const { id, sequence } = message
  return { id, sockets, sequence, epoch: place.epoch, stored: place.stores, kept }
}

/** The end of every way: a message that waited, and needs to be stored nowhere, is delivered. */
export const straight: Intake = {
  take(waiting) {
    const { place, message, sender, leg } = waiting
    message.sequence = place.sequence + 1
    waiting.waiter.settle(deliver(place, ownOf(waiting), sender, leg))
  },
}
