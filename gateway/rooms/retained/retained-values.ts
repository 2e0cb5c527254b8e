/** The last message of each channel of a room, for those who begin to listen (block retained). */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import type { ScannedEnvelope } from '../../protocol/scan-envelope.ts'
import type { Keeper, OwnMessage } from '../../router/intake.ts'
import type { Membership } from '../../router/membership.ts'
import type { Place } from '../../router/place.ts'
import type { StoredMessage } from '../../store/history.ts'
import type { RetainedConfig } from '../config.ts'
import { replayed } from '../history/page.ts'
import type { RetainedWriter } from './retained-writer.ts'

export class RetainedValues implements Keeper {
  config: RetainedConfig
  readonly #roomId: string
  readonly #place: Place
  readonly #writer: RetainedWriter
  /** In the order in which they were sent. */
  readonly #values = new Map<string, OwnMessage>()

  /** `stored`: what the room had when it was loaded. */
  constructor(parts: {
    config: RetainedConfig
    roomId: string
    place: Place
    writer: RetainedWriter
    stored: readonly StoredMessage[]
  }) {
    this.config = parts.config
    this.#roomId = parts.roomId
    this.#place = parts.place
    this.#writer = parts.writer
    // Ids are in the order in which they were given.
    for (const stored of parts.stored.toSorted((a, b) => Buffer.compare(a.id, b.id))) {
      // A position of an epoch that is over says nothing any more.
      const sequence = stored.sequence <= parts.place.sequence ? stored.sequence : 0
      this.#values.set(stored.channel, replayed(parts.place, { ...stored, sequence }))
    }
  }

  /** The room's positions begin anew: those of the values say nothing any more. */
  renumbered(): void {
    for (const { message } of this.#values.values()) message.sequence = 0
  }

  /** All of them, the one that was sent first at first. */
  get all(): Iterable<OwnMessage> {
    return this.#values.values()
  }

  get size(): number {
    return this.#values.size
  }

  refuses(_sender: Membership, channel: string, envelope: ScannedEnvelope): Refusal | undefined {
    const { values, channels, bytes } = this.config
    if (values === 'asked' && !envelope.retain) return undefined
    const size = envelope.contentEnd - envelope.contentStart
    if (size > bytes) {
      const detail = `over ${bytes} bytes for a value that is kept`
      return new Refusal(Code.PAYLOAD_TOO_LARGE, detail, this.#place.line('retained', 'bytes'))
    }
    if (this.#writer.full) {
      const decidedBy = 'setting history.queueBytes'
      return new Refusal(Code.QUEUE_FULL, 'too many values wait for the store', decidedBy)
    }
    if (size === 0 || this.#values.has(channel) || this.#values.size < channels) return undefined
    const detail = `the room keeps values of ${channels} channels`
    return new Refusal(Code.RETAINED_LIMIT, detail, this.#place.line('retained', 'channels'))
  }

  keep(own: OwnMessage): boolean {
    if (this.config.values === 'asked' && !own.message.retain) return false
    const { channel, body } = own
    const hadValue = this.#values.delete(channel)
    const isEmpty = body.contentEnd === body.contentStart
    if (!isEmpty) this.#values.set(channel, own)
    if (hadValue || !isEmpty) {
      this.#writer.write(this.#roomId, channel, isEmpty ? undefined : this.#stored(own))
    }
    return !isEmpty
  }

  /** Positions that do not outlast the gateway are not stored. */
  #stored({ message, channel, body }: OwnMessage): StoredMessage {
    const { sequence, id, timeMs, from } = message
    return {
      sequence: this.#place.stores ? sequence : 0,
      id: id.bytes.subarray(id.at, id.at + 16),
      timeMs,
      from: Buffer.from(from).toString(),
      channel,
      body: body.bytes.subarray(body.start, body.end),
    }
  }
}
