/**
 * Step 2: may it? The facts were settled when the socket joined (R26); this reads them. A direct
 * message needs no right here: whom it can reach is settled when sockets are gathered.
 */
import { Code } from '@porthouse/proto/v1/code'
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import { matchesChannel } from '../protocol/channel.ts'
import { Refusal } from '../protocol/codes.ts'
import type { RateLimit } from '../protocol/rate-limit.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import {
  type Destination,
  type DirectDestination,
  type GroupDestination,
  refused,
} from './destination.ts'
import { type Membership, maySend } from './membership.ts'
import type { PlaceConfig } from './place-config.ts'
import { breach } from './terms.ts'

/** What somebody at a lock may say at once, in bytes: those inside do not know him yet. */
const CALL_BYTES_MAX = 4_096

function floods(rate: RateLimit, { start, end }: ScannedEnvelope, now: number) {
  if (end - start > CALL_BYTES_MAX) {
    return new Refusal(Code.PAYLOAD_TOO_LARGE, `over ${CALL_BYTES_MAX} bytes from a lock`)
  }
  if (rate.take(now)) return undefined
  return new Refusal(Code.RATE_LIMITED, `over ${rate.perSecond} messages a second from a lock`)
}

/** What the room's config says against a channel, whoever sends to it. */
export function channelRefuses(
  { channels, channelsOnly }: PlaceConfig,
  channel: string,
): Refusal | undefined {
  if (channel === '' && channelsOnly) {
    return new Refusal(Code.CHANNEL_UNKNOWN, 'the room has channels alone')
  }
  if (
    channel !== '' &&
    channels.length > 0 &&
    !channels.some((each) => matchesChannel(each, channel))
  ) {
    return new Refusal(Code.CHANNEL_UNKNOWN, 'the room has no such channel')
  }
  return undefined
}

/** What its config says against so much, or so often; takes one of the rates. */
function limitsRefuse(
  { place, rate }: Membership,
  envelope: ScannedEnvelope,
  now: number,
): Refusal | undefined {
  const { limits } = place.config
  const bytesMax = limits.payloadBytes ?? Number.POSITIVE_INFINITY
  if (envelope.contentEnd - envelope.contentStart > bytesMax) {
    return new Refusal(Code.PAYLOAD_TOO_LARGE, `over ${bytesMax} bytes in this room`)
  }
  for (const each of [rate, place.rate]) {
    if (!each || each.take(now)) continue
    const whose = each === rate ? 'of one socket' : 'in all'
    const detail = `over ${each.perSecond} messages a second ${whose} in this room`
    return new Refusal(Code.RATE_LIMITED, detail)
  }
  return undefined
}

/** What is said from a lock, or to a group of a room with limits, may be too much. */
function floodOf(
  destination: DirectDestination | GroupDestination,
  envelope: ScannedEnvelope,
  now: number,
): Refusal | undefined {
  if (destination.kind === 'group') return limitsRefuse(destination.membership, envelope, now)
  return destination.rate && floods(destination.rate, envelope, now)
}

/** `now` in milliseconds that only rise. */
export function permit(
  destination: Destination,
  envelope: ScannedEnvelope,
  now: number,
): Destination {
  if (destination.kind === 'refused') return destination
  const { name } = destination
  const level = envelope.receipt
  if (level > ReceiptLevel.STORED) {
    return refused(name, Code.UNIMPLEMENTED, `receipt level ${level} is not known here`)
  }
  const stores = destination.kind === 'room' && destination.membership.place.stores
  if (level === ReceiptLevel.STORED && !stores) {
    return refused(name, Code.NO_HISTORY, 'nothing is stored there')
  }
  if (destination.kind !== 'room') {
    const { actor } = destination
    const breached =
      floodOf(destination, envelope, now) ?? (actor.terms && breach(actor.terms, envelope, now))
    return breached ? refused(name, breached.code, breached.detail) : destination
  }
  const { sender, channel, membership } = destination
  const { guarded } = membership.place
  if (sender && sender === membership.free && !guarded) return destination
  if (!sender) return refused(name, Code.SEND_NOT_PERMITTED, 'no right to send to this room')
  const { actor } = sender
  if (!maySend(sender, channel)) {
    return refused(name, Code.CHANNEL_NOT_PERMITTED, 'no right to send to this channel')
  }
  const breached =
    (actor.terms && breach(actor.terms, envelope, now)) ??
    (guarded
      ? (channelRefuses(membership.place.config, channel) ??
        limitsRefuse(membership, envelope, now))
      : undefined)
  return breached ? refused(name, breached.code, breached.detail) : destination
}
