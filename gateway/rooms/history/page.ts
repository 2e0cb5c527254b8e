/** A run of a room's messages, read once and encoded once a lane, for all who want the same. */
import { UNBOUNDED } from '../../protocol/limits.ts'
import type { EnvelopeBody } from '../../protocol/packet-writer.ts'
import { scanEnvelope } from '../../protocol/scan-envelope.ts'
import { type OwnMessage, ownText, type RoomMessage } from '../../router/intake.ts'
import type { Lane } from '../../router/lane.ts'
import type { Place } from '../../router/place.ts'
import { UNMARKED } from '../../router/socket.ts'
import type { StoredMessage } from '../../store/history.ts'

/** Whether it is worth nothing any more; `now` in milliseconds since 1970-01-01 UTC. */
export function isExpired(
  { timeMs }: Pick<RoomMessage, 'timeMs'>,
  { expiresAfter }: Pick<EnvelopeBody, 'expiresAfter'>,
  now: number,
): boolean {
  return expiresAfter > 0 && now >= timeMs + expiresAfter * 1000
}

export class Page {
  readonly place: Place
  readonly messages: readonly OwnMessage[]
  /** All up to this position are in it. */
  readonly through: number
  readonly more: boolean
  readonly #encoded = new Map<Lane, Buffer>()

  constructor(
    place: Place,
    messages: readonly OwnMessage[],
    { through, more }: { readonly through: number; readonly more: boolean },
  ) {
    this.place = place
    this.messages = messages
    this.through = through
    this.more = more
  }

  /** All of it as one transport message; `replay`: a Replay. */
  encode(lane: Lane, replay: number): Buffer {
    let bytes = this.#encoded.get(lane)
    if (!bytes) {
      const writer = lane.writer()
      for (const { message, body } of this.messages) {
        writer.envelope(body, { ...message, replay }, 0, this.place.config.structure)
      }
      bytes = writer.whole()
      this.#encoded.set(lane, bytes)
    }
    return bytes
  }
}

/** A message as it came back from the store. */
export function replayed({ route }: Place, stored: StoredMessage): OwnMessage {
  const { sequence, id, timeMs, from, channel } = stored
  const bytes = Buffer.from(stored.body.buffer, stored.body.byteOffset, stored.body.length)
  const body = scanEnvelope(bytes, 0, bytes.length, UNBOUNDED)
  return {
    message: {
      id: { bytes: Buffer.from(id.buffer, id.byteOffset, id.length), at: 0 },
      origin: UNMARKED,
      retain: body.retained,
      from: ownText(from),
      route,
      channel: ownText(channel),
      target: new Uint8Array(),
      sequence,
      timeMs,
      epoch: 0,
      replay: 0,
    },
    channel,
    body,
  }
}
