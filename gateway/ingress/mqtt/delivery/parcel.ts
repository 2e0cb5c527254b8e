/** A message on its way to one client alone. */
import type { QoS } from 'mqtt-packet'
import { isExpired } from '../../../rooms/history/page.ts'
import type { RoomMessage } from '../../../router/intake.ts'
import type { Place } from '../../../router/place.ts'
import type { Content } from './content.ts'
import type { Terms } from './publish-bytes.ts'
import type { Share } from './share.ts'

/** Which message of which room it is. */
export interface Source {
  readonly place: Place
  /** `` for the room itself. */
  readonly channel: string
  readonly message: Pick<RoomMessage, 'id' | 'from' | 'timeMs' | 'sequence'>
}

export interface Parcel {
  /** NO_CONTENT once it needs not be sent again. */
  content: Content
  /** The content lies in memory of its own. */
  isOwn: boolean
  readonly qos: QoS
  readonly retain: boolean
  readonly identifiers: readonly number[]
  /** Encoded, see mapping/stamp.ts. */
  readonly stamp: Buffer
  /** When it was sent, in milliseconds since 1970-01-01 UTC. */
  readonly timeMs: number
  /** Undefined: nobody will ask; or it is of the gateway's own topics, or was kept by Aedes. */
  source: Source | undefined
  /** Of the past: it gives way to nothing. */
  readonly isReplay: boolean
  /** By whom the client was picked for it; undefined: by its own subscriptions. */
  readonly share: Share | undefined
  /** Another one of the share has got it in its place. */
  isHandedOn: boolean
  /** Packet identifier by which Aedes keeps it. */
  readonly aedesId: number | undefined
  /** An earlier connection of the session has sent it. */
  readonly dup: boolean
  /** In bytes. */
  readonly length: number
}

type Given = Pick<Parcel, 'qos' | 'timeMs'> &
  Partial<Omit<Parcel, 'content' | 'isOwn' | 'isHandedOn' | 'length'>>

/** In the content's memory, which others may share. */
export function parcelOf(content: Content, given: Given): Parcel {
  const { body, topicStart, end } = content
  return {
    content,
    isOwn: false,
    qos: given.qos,
    retain: given.retain ?? false,
    identifiers: given.identifiers ?? NONE,
    stamp: given.stamp ?? NOTHING,
    timeMs: given.timeMs,
    source: given.source,
    isReplay: given.isReplay ?? false,
    share: given.share,
    isHandedOn: false,
    aedesId: given.aedesId,
    dup: given.dup ?? false,
    length: end - topicStart + (body ? body.end - body.start : 0),
  }
}

const NONE: readonly number[] = []
const NOTHING = Buffer.alloc(0)

/** What was sent once does not expire [MQTT-4.3.3-7]. */
export function hasExpired(parcel: Parcel, now: number): boolean {
  return !parcel.dup && isExpired(parcel, parcel.content, now)
}

/** How it is sent now, at `now` (milliseconds since 1970-01-01 UTC), but for an alias. */
export function termsOf(parcel: Parcel, messageId: number, is5: boolean, now: number): Terms {
  const { qos, dup, retain, identifiers, stamp } = parcel
  const expiry = expiryOf(parcel, now)
  return {
    qos,
    dup,
    retain,
    identifiers,
    stamp,
    messageId,
    is5,
    expiry,
    alias: 0,
    knowsAlias: false,
  }
}

/** Seconds left, one at least; 0: it does not expire. A clock that was set gives it no more. */
function expiryOf({ content: { expiresAfter }, timeMs }: Parcel, now: number): number {
  if (expiresAfter === 0) return 0
  const left = Math.ceil((timeMs + expiresAfter * 1000 - now) / 1000)
  return Math.min(Math.max(left, 1), expiresAfter)
}
