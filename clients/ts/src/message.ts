import { type Envelope, Quality, Replay as Replays, type Stamp } from '@porthouse/proto/v1/envelope'
import type { ErrorCode } from './code.ts'
import { PorthouseError } from './error.ts'
import { readTime } from './time.ts'
import { formatUuid } from './uuid.ts'

/** Messages that this socket did not get, as told by the gateway. */
export interface Lost {
  /** The room, or what was joined; empty for direct messages. */
  readonly address: string
  /** Of the positions; 0 where the gateway names none. */
  readonly epoch: bigint
  /** First and last position lost; 0: not known, since it is of another epoch. */
  readonly from: bigint
  readonly to: bigint
  /** How many of the messages between them; 0: not known. */
  readonly count: number
  /**
   * SLOW_CONSUMER; or, where a listener could not go on where it was, NO_HISTORY, RETENTION,
   * EPOCH_CHANGED or POSITION_UNKNOWN.
   */
  readonly code: ErrorCode
}

/**
 * Why a message comes now, if not because it was just sent: from the room's history, from the
 * session history of a connection that is still there, or as the last value of its channel.
 */
export type Replay = 'history' | 'session' | 'retained'

/** A message as it arrived. */
export interface Message {
  /** UUIDv7. */
  readonly id: string
  /** The sender's address to answer to: `socket:…` or `client:…`. */
  readonly from: string
  /** What it was sent to: `room:{account}/{room}[/{channel}]`, `socket:…` or `client:…`. */
  readonly address: string
  /** Empty: the room itself, or no room. */
  readonly channel: string
  /** Position in the room; 0 where it was sent to no room. */
  readonly sequence: bigint
  readonly epoch: bigint
  /** Absent: it is live. */
  readonly replay?: Replay
  /** When the gateway took it. */
  readonly time: Date
  /** The content as bytes, also where it was sent as text. */
  readonly payload: Uint8Array
  /** The content where it was sent as text. */
  readonly text?: string
  readonly contentType?: string
  /** Without a prototype, so that any name is just a name. */
  readonly headers: Readonly<Record<string, string>>
  readonly replyTo?: string
  readonly correlationId?: Uint8Array
  /** Whole seconds after `time` when it is worth nothing any more; absent: it does not expire. */
  readonly expiresAfter?: number
  /** The QoS that it was published with over MQTT; absent: it came by another way. */
  readonly quality?: 0 | 1 | 2
  /** What this reader missed just before this message. */
  readonly lost?: Lost
}

const replays = new Map<Replays, Replay>([
  [Replays.HISTORY, 'history'],
  [Replays.SESSION, 'session'],
  [Replays.RETAINED, 'retained'],
])

const qualities = new Map<Quality, 0 | 1 | 2>([
  [Quality.AT_MOST_ONCE, 0],
  [Quality.AT_LEAST_ONCE, 1],
  [Quality.EXACTLY_ONCE, 2],
])

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

const encoder = new TextEncoder()

/** Throws MALFORMED_PACKET for an envelope without the gateway's stamp. */
export function stampOf({ stamp }: Envelope): Stamp {
  if (stamp?.id.length === 16) return stamp
  throw new PorthouseError('MALFORMED_PACKET', { detail: 'An envelope without its stamp' })
}

/** Reads a stamped envelope that was sent to the room given, or to no room. */
export function readMessage(
  envelope: Envelope,
  stamp: Stamp,
  room?: { address: string; epoch: bigint },
): Message {
  const { content, contentType, headers, replyTo, correlationId, expiresAfter } = envelope
  const { channel } = stamp
  const quality = qualities.get(envelope.quality)
  const replay = replays.get(stamp.replay)
  const message = {
    id: formatUuid(stamp.id),
    from: stamp.from,
    address: room ? (channel ? `${room.address}/${channel}` : room.address) : stamp.target,
    channel,
    sequence: stamp.sequence,
    epoch: stamp.epoch || (room?.epoch ?? 0n),
    time: readTime(stamp.timeMs),
    headers: Object.keys(headers).length ? Object.assign(Object.create(null), headers) : NO_HEADERS,
    ...(replay && { replay }),
    ...(contentType && { contentType }),
    ...(replyTo && { replyTo }),
    ...(correlationId.length && { correlationId: correlationId.slice() }),
    ...(expiresAfter && { expiresAfter }),
    ...(quality !== undefined && { quality }),
  }
  if (content.case === 'text') return withText(message, content.value)
  // A copy, so that a few bytes that are kept do not keep a whole packet.
  return { ...message, payload: content.value?.slice() ?? new Uint8Array() }
}

// Most readers of a text never look at its bytes, so they are made when asked for.
function withText(message: Omit<Message, 'payload'>, text: string): Message {
  let payload: Uint8Array | undefined
  return {
    ...message,
    text,
    get payload() {
      payload ??= encoder.encode(text)
      return payload
    },
  }
}

/** Bytes that a message holds on to, near enough to bound a buffer by. */
export function heldBytes({ content, headers }: Envelope): number {
  let bytes = 512 + (content.value?.length ?? 0)
  for (const name in headers) bytes += name.length + headers[name]!.length
  return bytes
}
