/**
 * Messages of one room as the PUBLISH of QoS 0 that most subscribers get: encoded as they come, one
 * behind the other in one buffer, which those who get all of them share. What others need for a
 * PUBLISH of their own is taken from the same bytes.
 */
import { Quality } from '@porthouse/proto/v1/envelope'
import type { EnvelopeBody, Stamp } from '../../../protocol/packet-writer.ts'
import { ownBody } from '../../../router/intake.ts'
import type { FrameWriter } from '../../../router/lane.ts'
import { sizeOfVarint, writeVarint } from '../mapping/fields.ts'
import { Property } from '../mapping/properties.ts'
import { propertiesOf } from '../mapping/published.ts'
import { type Content, isPlain } from './content.ts'
import { write16, writeExpiry } from './publish-bytes.ts'

/** What a writer takes at first, in bytes; packets of one message mostly fit. */
const START_BYTES = 256

const QOS_0 = 0x30
const SLASH = 0x2f
const EXPIRY_BYTES = 5
const NONE = Buffer.alloc(0)
const TEXT = Buffer.from([Property.PAYLOAD_FORMAT, 1])

/** A message in the buffer. */
interface Written {
  readonly start: number
  readonly topicStart: number
  readonly topicEnd: number
  readonly propertiesStart: number
  readonly payloadStart: number
  readonly end: number
  readonly isText: boolean
  readonly quality: number
  readonly expiresAfter: number
  readonly body: EnvelopeBody | undefined
}

export class MqttWriter implements FrameWriter {
  readonly #topic: string
  readonly #is5: boolean
  readonly #written: Written[] = []
  #contents: (Content | undefined)[] | undefined
  #buffer = NONE
  #pos = 0
  /** Of the packets so far, in bytes. */
  largest = 0
  /** All of it was sent by QoS 0, so that nobody gets it by another. */
  isByQos0 = true

  /** `topic`: of the room itself; ASCII. */
  constructor(topic: string, is5: boolean) {
    this.#topic = topic
    this.#is5 = is5
  }

  get bytes(): number {
    return this.#pos
  }

  get frames(): number {
    return this.#written.length
  }

  envelope(body: EnvelopeBody, { channel }: Stamp): void {
    const { contentStart, contentEnd, expiresAfter, quality } = body
    const plain = isPlain(body)
    const isText = body.content === 6
    const properties = this.#is5 ? propertiesIn(body, plain) : NONE
    const topic = this.#topic
    const topicSize = topic.length + (channel.length > 0 ? 1 + channel.length : 0)
    const expirySize = this.#is5 && expiresAfter > 0 ? EXPIRY_BYTES : 0
    const propertiesSize = expirySize + properties.length
    const size = contentEnd - contentStart
    const lengthSize = this.#is5 ? sizeOfVarint(propertiesSize) : 0
    const rest = 2 + topicSize + lengthSize + propertiesSize + size
    const start = this.#reserve(1 + sizeOfVarint(rest) + rest)
    const bytes = this.#buffer

    bytes[start] = QOS_0
    const topicStart = write16(bytes, writeVarint(bytes, start + 1, rest), topicSize)
    const topicEnd = topicStart + topicSize
    const roomEnd = topicStart + bytes.write(topic, topicStart, 'latin1')
    if (channel.length > 0) {
      bytes[roomEnd] = SLASH
      bytes.set(channel, roomEnd + 1)
    }
    let at = topicEnd
    if (this.#is5) {
      at = writeVarint(bytes, at, propertiesSize)
      if (expirySize > 0) at = writeExpiry(bytes, at, expiresAfter)
    }
    const propertiesStart = at
    bytes.set(properties, at)
    const payloadStart = at + properties.length
    body.bytes.copy(bytes, payloadStart, contentStart, contentEnd)
    const end = payloadStart + size
    this.#pos = end
    if (end - start > this.largest) this.largest = end - start
    if (quality !== Quality.AT_MOST_ONCE) this.isByQos0 = false
    this.#written.push({
      start,
      topicStart,
      topicEnd,
      propertiesStart,
      payloadStart,
      end,
      isText,
      quality,
      expiresAfter,
      body: plain ? undefined : ownBody(body),
    })
  }

  /** What the n-th message is made of; nothing is added afterwards. */
  content(n: number): Content {
    this.#contents ??= []
    let content = this.#contents[n]
    if (!content) {
      const written = this.#written[n] as Written
      const { topicStart, topicEnd } = written
      const channelStart = topicStart + this.#topic.length + 1
      // Each by its name, for speed: a spread of so many is slow.
      content = {
        bytes: this.#buffer,
        channel:
          channelStart < topicEnd ? this.#buffer.toString('utf8', channelStart, topicEnd) : '',
        topicStart,
        topicEnd,
        propertiesStart: written.propertiesStart,
        payloadStart: written.payloadStart,
        end: written.end,
        isText: written.isText,
        quality: written.quality,
        expiresAfter: written.expiresAfter,
        body: written.body,
      }
      this.#contents[n] = content
    }
    return content
  }

  receipt(): never {
    throw new Error('a receipt is for one client alone')
  }

  frame(): never {
    throw new Error('a frame is told on a reserved topic')
  }

  whole(): Buffer {
    return this.#buffer.subarray(0, this.#pos)
  }

  /** A copy. */
  part(from: number, to: number): Buffer {
    if (from === to) return NONE
    const { start } = this.#written[from] as Written
    const { end } = this.#written[to - 1] as Written
    const part = Buffer.allocUnsafeSlow(end - start)
    this.#buffer.copy(part, 0, start, end)
    return part
  }

  /** Takes memory, twice as much whenever it is used up; returns where the next byte goes. */
  #reserve(size: number): number {
    const used = this.#pos
    if (used + size > this.#buffer.length) {
      const wanted = Math.max(used + size, used === 0 ? START_BYTES : 2 * this.#buffer.length)
      const larger = Buffer.allocUnsafe(wanted)
      this.#buffer.copy(larger, 0, 0, used)
      this.#buffer = larger
    }
    return used
  }
}

/** Those that are the same for all who get the message. */
function propertiesIn(body: EnvelopeBody, plain: boolean): Buffer {
  if (!plain) return propertiesOf(body).properties
  return body.content === 6 ? TEXT : NONE
}
