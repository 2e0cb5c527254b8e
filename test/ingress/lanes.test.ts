/** What every lane's writer has to do: a batch may wait for longer than the turn's bytes last. */
import { create, toBinary } from '@bufbuild/protobuf'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import { expect, test } from 'vitest'
import { mqtt4Lane, mqtt5Lane } from '../../gateway/ingress/mqtt/delivery/lane.ts'
import { binaryLane } from '../../gateway/ingress/websocket/binary-lane.ts'
import { jsonLane } from '../../gateway/ingress/websocket/json-lane.ts'
import { scanEnvelope } from '../../gateway/protocol/scan-envelope.ts'
import type { Lane } from '../../gateway/router/lane.ts'
import { limits } from '../support/limits.ts'

const stamp = {
  id: { bytes: Buffer.alloc(16, 7), at: 0 },
  from: Buffer.from('socket:ann'),
  route: 1,
  channel: Buffer.from('a'),
  target: Buffer.alloc(0),
  sequence: 1,
  timeMs: 1_700_000_000_000,
  epoch: 0,
  replay: 0,
}

const envelope = create(EnvelopeSchema, {
  content: { case: 'text', value: 'hi' },
  headers: { kind: 'greeting' },
})

function written<L extends Lane>(lane: L) {
  const bytes = Buffer.from(toBinary(EnvelopeSchema, envelope))
  const writer = lane.writer('acme/yard') as ReturnType<L['writer']>
  writer.envelope(scanEnvelope(bytes, 0, bytes.length, limits), { ...stamp })
  return { bytes, writer }
}

const lanes: Lane[] = [binaryLane, jsonLane, mqtt4Lane, mqtt5Lane]

test.each(lanes)('a writer of $name keeps nothing of the bytes that it was given', (lane) => {
  const [kept, other] = [written(lane), written(lane)]
  const expected = Buffer.from(other.writer.whole())
  kept.bytes.fill(0)
  expect(kept.writer.whole()).toEqual(expected)
  expect(kept.writer.part(0, 1)).toEqual(expected)
})

test('nor does what an MQTT writer keeps of an envelope that has more than content', () => {
  const [kept, other] = [written(mqtt5Lane), written(mqtt5Lane)]
  kept.bytes.fill(0)
  expect(kept.writer.content(0).body).toBeDefined()
  expect(kept.writer.content(0).body).toEqual(other.writer.content(0).body)
})
