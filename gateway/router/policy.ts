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
  refusedFor,
} from './destination.ts'
import { grantOf, type Membership, maySend } from './membership.ts'
import type { Place } from './place.ts'
import { breach, type Spend } from './terms.ts'

/** What somebody at a lock may say at once, in bytes: those inside do not know him yet. */
const CALL_BYTES_MAX = 4_096

function floods(rate: RateLimit, { start, end }: ScannedEnvelope, now: number, spend: Spend) {
  if (end - start > CALL_BYTES_MAX) {
    return new Refusal(Code.PAYLOAD_TOO_LARGE, `over ${CALL_BYTES_MAX} bytes from a lock`)
  }
  if (spend(rate, now)) return undefined
  return new Refusal(Code.RATE_LIMITED, `over ${rate.perSecond} messages a second from a lock`)
}

/** What the room's config says against a channel, whoever sends to it. */
export function channelRefuses(place: Place, channel: string): Refusal | undefined {
  const { channels, channelsOnly } = place.config
  if (channel === '' && channelsOnly) {
    const decidedBy = place.line('channels', 'only')
    return new Refusal(Code.CHANNEL_UNKNOWN, 'the room has channels alone', decidedBy)
  }
  if (
    channel !== '' &&
    channels.length > 0 &&
    !channels.some((each) => matchesChannel(each, channel))
  ) {
    const decidedBy = place.line('channels', 'allowed')
    return new Refusal(Code.CHANNEL_UNKNOWN, 'the room has no such channel', decidedBy)
  }
  return undefined
}

/** What its config says against so much, or so often; spends one of each rate. */
function limitsRefuse(
  { place, rate }: Membership,
  envelope: ScannedEnvelope,
  now: number,
  spend: Spend,
): Refusal | undefined {
  const { limits } = place.config
  const bytesMax = limits.payloadBytes ?? Number.POSITIVE_INFINITY
  if (envelope.contentEnd - envelope.contentStart > bytesMax) {
    const decidedBy = place.line('limits', 'payloadBytes')
    return new Refusal(Code.PAYLOAD_TOO_LARGE, `over ${bytesMax} bytes in this room`, decidedBy)
  }
  for (const each of [rate, place.rate]) {
    if (!each || spend(each, now)) continue
    const isHis = each === rate
    const whose = isHis ? 'of one socket' : 'in all'
    const detail = `over ${each.perSecond} messages a second ${whose} in this room`
    const decidedBy = place.line('limits', isHis ? 'socketRate' : 'roomRate')
    return new Refusal(Code.RATE_LIMITED, detail, decidedBy)
  }
  return undefined
}

/** What is said from a lock, or to a group of a room with limits, may be too much. */
function floodOf(
  destination: DirectDestination | GroupDestination,
  envelope: ScannedEnvelope,
  now: number,
  spend: Spend,
): Refusal | undefined {
  if (destination.kind === 'group') {
    return limitsRefuse(destination.membership, envelope, now, spend)
  }
  return destination.rate && floods(destination.rate, envelope, now, spend)
}

/** `now` in milliseconds that only rise. */
export function permit(
  destination: Destination,
  envelope: ScannedEnvelope,
  now: number,
  spend: Spend,
): Destination {
  if (destination.kind === 'refused') return destination
  const { name } = destination
  const level = envelope.receipt
  if (level > ReceiptLevel.STORED) {
    return refused(name, Code.UNIMPLEMENTED, `receipt level ${level} is not known here`)
  }
  const stores = destination.kind === 'room' && destination.membership.place.stores
  if (level === ReceiptLevel.STORED && !stores) {
    const decidedBy =
      destination.kind === 'room' ? destination.membership.place.line('history', 'keep') : ''
    return refused(name, Code.NO_HISTORY, 'nothing is stored there', decidedBy)
  }
  if (destination.kind !== 'room') {
    const { actor } = destination
    const breached =
      floodOf(destination, envelope, now, spend) ??
      (actor.terms && breach(actor.terms, envelope, now, spend))
    return breached ? refusedFor(name, breached) : destination
  }
  const { sender, channel, membership } = destination
  const { place } = membership
  const { guarded } = place
  if (sender && sender === membership.free && !guarded) return destination
  if (!sender) {
    const detail = 'no right to send to this room'
    return refused(name, Code.SEND_NOT_PERMITTED, detail, place.line('access'))
  }
  const { actor } = sender
  if (!maySend(sender, channel)) {
    const decidedBy = `${grantOf(sender, place.name)} channels`
    const detail = 'no right to send to this channel'
    return refused(name, Code.CHANNEL_NOT_PERMITTED, detail, decidedBy)
  }
  const breached =
    (actor.terms && breach(actor.terms, envelope, now, spend)) ??
    (guarded
      ? (channelRefuses(place, channel) ?? limitsRefuse(membership, envelope, now, spend))
      : undefined)
  return breached ? refusedFor(name, breached) : destination
}
