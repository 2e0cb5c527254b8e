/** Binary and JSON sockets in one room are equals: the same messages, ids, positions and order. */
import { create, toBinary, toJson, toJsonString } from '@bufbuild/protobuf'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import { type Frame, PacketSchema } from '@porthouse/proto/v1/frame'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { field, varintField } from '../support/bytes.ts'
import { type FrameInit, text } from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { OPEN } from '../support/memory-store.ts'
import { BINARY, RawWebSocket, resetRawWebSockets, TEXT } from '../support/raw-websocket.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start()
  await gateway.room('acme/yard', [OPEN])
})
afterEach(resetRawWebSockets)
afterAll(() => gateway.stop())

async function open(opcode: number, path = '/acme/yard'): Promise<RawWebSocket> {
  const protocol = opcode === BINARY ? 'porthouse.v1' : 'porthouse.v1.json'
  const socket = await RawWebSocket.open(gateway.port, { path, protocol })
  const { body } = await socket.frame(opcode)
  expect(body).toMatchObject({ case: 'room', value: { action: { case: 'joined' } } })
  return socket
}

function say(socket: RawWebSocket, opcode: number, ...frames: FrameInit[]): void {
  const packet = create(PacketSchema, { frames })
  if (opcode === BINARY) socket.send(BINARY, toBinary(PacketSchema, packet))
  else socket.send(TEXT, toJsonString(PacketSchema, packet))
}

interface Said {
  readonly stamp: { readonly id: string; readonly sequence: string }
}

/** Envelopes in one form, whichever they came in. */
function envelopesIn(frames: Frame[]): Said[] {
  return frames.flatMap(({ body }) =>
    body.case === 'envelope' ? [toJson(EnvelopeSchema, body.value) as never] : [],
  )
}

test('two senders, one of each kind: both listeners hear the same, in the same order', async () => {
  const listeners = [await open(BINARY), await open(TEXT)] as const
  const senders = [await open(BINARY), await open(TEXT)] as const
  const count = 100
  for (let i = 1; i <= count; i++) {
    say(senders[0], BINARY, text(i, `binary ${i}`, {}, { headers: { n: `${i}` } }))
    say(senders[1], TEXT, text(i, `json ${i}`, {}, { contentType: 'text/plain' }))
  }
  const binary = envelopesIn(await listeners[0].frames(2 * count, BINARY))
  const json = envelopesIn(await listeners[1].frames(2 * count, TEXT))
  expect(json).toEqual(binary)
  expect(binary.map(({ stamp }) => stamp.sequence)).toEqual(binary.map((_, i) => `${i + 1}`))

  // Each sender heard the other, and its receipts tell the same ids and positions.
  for (const [i, opcode] of [BINARY, TEXT].entries()) {
    const frames = await senders[i]!.frames(2 * count, opcode)
    const own = new Map<string, string>()
    for (const { body } of frames) {
      if (body.case !== 'receipt') continue
      const { id, sequence, sockets } = body.value
      own.set(Buffer.from(id).toString('base64'), `${sequence}`)
      expect(sockets).toBe(3)
    }
    const [mine, others] = [true, false].map((is) =>
      binary.filter(({ stamp }) => own.has(stamp.id) === is),
    )
    expect(mine!.map(({ stamp }) => [stamp.id, stamp.sequence])).toEqual([...own])
    expect(envelopesIn(frames)).toEqual(others)
  }
})

test('bytes are bytes on both', async () => {
  const listeners = [await open(BINARY), await open(TEXT)] as const
  const sender = await open(TEXT)
  const payload = Uint8Array.from({ length: 256 }, (_, i) => i)
  say(sender, TEXT, {
    body: { case: 'envelope', value: { content: { case: 'payload', value: payload } } },
  })
  for (const [i, opcode] of [BINARY, TEXT].entries()) {
    const [envelope] = envelopesIn([await listeners[i]!.frame(opcode)])
    expect(envelope).toMatchObject({ payload: Buffer.from(payload).toString('base64') })
  }
})

test('unknown fields reach binary sockets untouched, and JSON ones without them', async () => {
  const listeners = [await open(BINARY), await open(TEXT)] as const
  const sender = await open(BINARY)
  const unknown = [field(12, 'later'), varintField(33, 2n ** 60n), field(100, 'ext'), field(33, '')]
  const envelope = Buffer.concat([
    unknown[0]!,
    field(6, 'hi'),
    unknown[1]!,
    field(1, varintField(4, 2)),
    unknown[2]!,
    unknown[3]!,
  ])
  sender.send(BINARY, field(1, varintField(1, 7), field(5, envelope)))
  expect((await sender.frame()).id).toBe(7)

  const bytes = await listeners[0].next(BINARY)
  const body = Buffer.concat([unknown[0]!, field(6, 'hi'), ...unknown.slice(1)])
  expect(bytes.includes(body)).toBe(true)
  const json = (await listeners[1].next(TEXT)).toString()
  const { frames } = JSON.parse(json) as { frames: { envelope: { stamp: object } }[] }
  expect(Object.keys(frames[0]!.envelope).sort()).toEqual(['stamp', 'text'])
  expect(EnvelopeSchema.fields.map(({ number }) => number)).not.toContain(12)
})
