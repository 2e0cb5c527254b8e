/**
 * A room's message in a session's queue: what a delivery needs of it, in bytes that are Aedes'
 * payload to Aedes. Written by this folder, read by delivery/.
 */
import { UNBOUNDED } from '../../../protocol/limits.ts'
import type { EnvelopeBody, Stamp } from '../../../protocol/packet-writer.ts'
import { scanEnvelope } from '../../../protocol/scan-envelope.ts'
import type { RoomMessage } from '../../../router/intake.ts'

export interface KeptMessage {
  readonly stamp: Stamp
  readonly body: EnvelopeBody
  /** Of all subscriptions that it matched. */
  readonly identifiers: readonly number[]
}

const VERSION = 1
/** Version, message id, time, sequence, epoch, size of `from`, number of identifiers. */
const HEAD_BYTES = 1 + 16 + 8 + 8 + 8 + 2 + 2
const IDENTIFIER_BYTES = 4
const NO_BYTES = new Uint8Array()

/** Identifiers of one message that are kept; a session with more of them is hardly meant so. */
const IDENTIFIERS_MAX = 0xffff

export function bytesOfKept(
  message: Pick<RoomMessage, 'id' | 'from' | 'timeMs' | 'sequence'>,
  epoch: number,
  { bytes, start, cutStart, cutEnd, end }: EnvelopeBody,
  identifiers: readonly number[],
): Buffer {
  const { id, from, timeMs, sequence } = message
  const numbers = identifiers.slice(0, IDENTIFIERS_MAX)
  const head = HEAD_BYTES + from.length + IDENTIFIER_BYTES * numbers.length
  const kept = Buffer.allocUnsafeSlow(head + cutStart - start + end - cutEnd)
  kept[0] = VERSION
  kept.set(id.bytes.subarray(id.at, id.at + 16), 1)
  kept.writeDoubleBE(timeMs, 17)
  kept.writeDoubleBE(sequence, 25)
  kept.writeDoubleBE(epoch, 33)
  kept.writeUInt16BE(from.length, 41)
  kept.writeUInt16BE(numbers.length, 43)
  let at = HEAD_BYTES
  kept.set(from, at)
  at += from.length
  for (const each of numbers) at = kept.writeUInt32BE(each, at)
  at += bytes.copy(kept, at, start, cutStart)
  bytes.copy(kept, at, cutEnd, end)
  return kept
}

/** Throws an Error for what another version wrote. */
export function keptOfBytes(bytes: Buffer): KeptMessage {
  if (bytes[0] !== VERSION || bytes.length < HEAD_BYTES) throw new Error('not a kept message')
  const fromEnd = HEAD_BYTES + bytes.readUInt16BE(41)
  const count = bytes.readUInt16BE(43)
  const start = fromEnd + IDENTIFIER_BYTES * count
  return {
    stamp: {
      id: { bytes, at: 1 },
      from: bytes.subarray(HEAD_BYTES, fromEnd),
      route: 0,
      channel: NO_BYTES,
      target: NO_BYTES,
      timeMs: bytes.readDoubleBE(17),
      sequence: bytes.readDoubleBE(25),
      epoch: bytes.readDoubleBE(33),
      replay: 0,
    },
    body: scanEnvelope(bytes, start, bytes.length, UNBOUNDED),
    identifiers: Array.from({ length: count }, (_, i) =>
      bytes.readUInt32BE(fromEnd + IDENTIFIER_BYTES * i),
    ),
  }
}
