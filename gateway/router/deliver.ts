/** The last step: a message with its position goes to all who hear it. */
import type { EnvelopeBody } from '../protocol/packet-writer.ts'
import type { Remembered } from './idempotency.ts'
import type { Intake, OwnMessage, RoomMessage } from './intake.ts'
import { hearsItself, type Membership } from './membership.ts'
import type { Place } from './place.ts'

/** Hands it to the audiences of its channel. Returns how many sockets are in them. */
export function fanOut(
  place: Place,
  channel: string,
  body: EnvelopeBody,
  message: RoomMessage,
  sender: Membership,
): number {
  place.sequence = message.sequence
  place.traffic.count(channel, body.contentEnd - body.contentStart, message.timeMs)
  let sockets = 0
  for (const audience of place.audiencesOf(channel)) {
    const spares = sender.audience === audience && !hearsItself(sender, channel)
    sockets += audience.size - (spares ? 1 : 0)
    const isSpared = spares && !sender.socket.hearsItself
    audience.append(body, message, isSpared ? sender : undefined)
  }
  return sockets
}

/** The same for one with memory of its own, which is kept as the room keeps its messages. */
export function deliver(place: Place, own: OwnMessage): Remembered {
  const { message, channel, body, sender } = own
  const kept = place.keeper?.keep(own) ?? false
  const sockets = fanOut(place, channel, body, message, sender)
  const { id, sequence } = message
  return { id, sockets, sequence, epoch: place.epoch, stored: place.stores, kept }
}

/** The end of every way: a message that waited, and needs to be stored nowhere, is delivered. */
export const straight: Intake = {
  take({ settle, place, ...own }) {
    own.message.sequence = place.sequence + 1
    settle(deliver(place, own))
  },
}
