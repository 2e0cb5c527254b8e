/** A will, as CONNECT left it: an envelope, where it goes, and when; and the same as bytes. */

import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import type { IConnectPacket } from 'mqtt-packet'
import { formatAddress, type RoomAddress } from '../../../protocol/address.ts'
import type { Limits } from '../../../protocol/limits.ts'
import { type ScannedEnvelope, scanEnvelope } from '../../../protocol/scan-envelope.ts'
import { envelopeOf } from '../mapping/publish.ts'
import { roomOfTopic } from '../mapping/topic.ts'
import type { StoredProof } from './stored-proof.ts'

type WillPacket = NonNullable<IConnectPacket['will']>

export interface Will {
  readonly target: RoomAddress
  readonly envelope: ScannedEnvelope
  /** After the connection is gone, in seconds. */
  readonly delayS: number
}

/** Throws Refusal, as a PUBLISH of the same is refused. */
export function willOf(
  { topic, payload, qos, retain, properties }: WillPacket,
  limits: Limits,
): Will {
  const target = roomOfTopic(topic)
  const { willDelayInterval = 0, ...rest } = properties ?? {}
  const routing = {
    route: 0,
    channel: '',
    to: [formatAddress(target)],
    key: '',
    // What became of it is nobody's to know; a durable room waits for its store all the same.
    receipt: ReceiptLevel.ROUTED,
    retain: retain ?? false,
  }
  const publication = { payload, qos, properties: rest as WillPacket['properties'] }
  const envelope = envelopeOf(publication as Parameters<typeof envelopeOf>[0], routing, limits)
  return { target, envelope, delayS: willDelayInterval }
}

interface Head {
  readonly topic: string
  readonly retain: boolean
  readonly key: string
  readonly acting: string
  readonly proofs: readonly StoredProof[]
}

const SIZE_BYTES = 4

export function bytesOfWill({ target, envelope }: Will, proofs: readonly StoredProof[]): Buffer {
  const { bytes, start, end, retain, key, acting } = envelope
  const topic = formatAddress(target).slice('room:'.length)
  const head = Buffer.from(JSON.stringify({ topic, retain, key, acting, proofs } satisfies Head))
  const size = Buffer.alloc(SIZE_BYTES)
  size.writeUInt32BE(head.length)
  return Buffer.concat([size, head, bytes.subarray(start, end)])
}

/** Throws for what this version did not write. */
export function willOfBytes(
  stored: Uint8Array,
  limits: Limits,
): { readonly will: Will; readonly proofs: readonly StoredProof[] } {
  const bytes = Buffer.from(stored)
  const end = SIZE_BYTES + bytes.readUInt32BE(0)
  const head = JSON.parse(bytes.toString('utf8', SIZE_BYTES, end)) as Head
  const target = roomOfTopic(head.topic)
  const envelope = scanEnvelope(bytes.subarray(end), 0, bytes.length - end, limits)
  Object.assign(envelope, {
    to: [formatAddress(target)],
    receipt: ReceiptLevel.ROUTED,
    retain: head.retain,
    key: head.key,
    acting: head.acting,
  })
  return { will: { target, envelope, delayS: 0 }, proofs: head.proofs }
}
