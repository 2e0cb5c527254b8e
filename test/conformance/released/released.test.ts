/**
 * What was released goes on working (R48): old clients with this gateway, and old frames with
 * today's decoders. That the schema may be read as the old one is in test/tidy/tools.test.ts.
 */
import { fromBinary, fromJson, toBinary, toJson } from '@bufbuild/protobuf'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { packetOfJson } from '../../../gateway/ingress/packet-json.ts'
import { TestGateway } from '../../support/gateway.ts'
import { bytesOf, goldenFrames, releases } from '../../support/golden-frames.ts'
import { framesTaken } from '../../support/taken.ts'
import { OldClient, packetOf } from './old-client.ts'

const kept = releases()
const subprotocols = ['porthouse.v1', 'porthouse.v1.json'] as const
const conversations = kept.flatMap(({ version, schema }) =>
  subprotocols.map((subprotocol) => ({ version, packet: packetOf(schema), subprotocol })),
)

let gateway: TestGateway
let token: string
const clients: OldClient[] = []

beforeAll(async () => {
  gateway = await TestGateway.start()
  await gateway.room('demo/hello')
  token = await gateway.token('demo', ['hello'])
})
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())))
afterAll(() => gateway.stop())

describe.each(conversations)('a client of $version on $subprotocol', (old) => {
  const open = async () => {
    const client = await OldClient.open(`${gateway.url}/v1/ws`, old.packet, old.subprotocol)
    clients.push(client)
    return client
  }

  test('proves who it is, joins, sends with a receipt, and is heard [PH-4.3]', async () => {
    const [ann, bob] = await Promise.all([open(), open()])
    const routes = await Promise.all([enter(ann), enter(bob)])
    const routing = { route: routes[0], channel: 'a/b', receipt: 'RECEIPT_LEVEL_ROUTED' }
    ann.send({ id: 4, envelope: { routing, text: 'hi', headers: { a: '1' } } })
    expect(await ann.hears('receipt')).toMatchObject({
      id: 4,
      receipt: { status: 'RECEIPT_STATUS_ROUTED', sockets: 1 },
    })
    const { envelope } = await bob.hears('envelope')
    expect(envelope).toMatchObject({
      stamp: { route: routes[1], channel: 'a/b' },
      text: 'hi',
      headers: { a: '1' },
    })
  })

  test('answers a message directly, and leaves', async () => {
    const [ann, bob] = await Promise.all([open(), open()])
    const [route] = await Promise.all([enter(ann), enter(bob)])
    ann.send({ envelope: { routing: { route }, payload: 'AAEC' } })
    const { envelope } = await bob.hears('envelope')
    const { stamp } = envelope as { stamp: { from: string } }
    bob.send({ id: 5, envelope: { routing: { to: [stamp.from] }, text: 'back' } })
    expect(await ann.hears('envelope')).toMatchObject({ envelope: { text: 'back' } })
    ann.send({ id: 7, room: { leave: { address: 'room:demo/hello' } } })
    expect(await ann.hears('room', 'left')).toMatchObject({ id: 7 })
  })

  test('is told by codes what cannot be done', async () => {
    const ann = await open()
    await enter(ann)
    ann.send({ id: 4, room: { join: { address: 'room:demo/none' } } })
    expect(await ann.hears('drop')).toMatchObject({ id: 4, drop: { code: 'CODE_ROOM_UNKNOWN' } })
    ann.send({ id: 5, envelope: { routing: { route: 99 }, text: 'hi' } })
    expect(await ann.hears('receipt')).toMatchObject({
      id: 5,
      receipt: { status: 'RECEIPT_STATUS_REJECTED', code: 'CODE_ROUTE_UNKNOWN' },
    })
  })

  test('is kept by heartbeats, and resumes by its token', async () => {
    const [ann, again] = await Promise.all([open(), open()])
    await enter(ann)
    ann.send()
    await ann.hears('heartbeat')
    const { resume } = await ann.hears('resume')
    again.send(hello({ resume: (resume as { token: string }).token }))
    expect(await again.hears('welcome')).toMatchObject({ welcome: { resumed: true } })
  })

  test('needs no Hello [PH-4.1]', async () => {
    const ann = await open()
    ann.send(proof(), join())
    expect(await ann.hears('room', 'joined')).toMatchObject({ id: 3 })
  })
})

describe.each(kept)('frames of $version', ({ frames, schema }) => {
  test('are read as they were, and written as they were', () => {
    for (const [name, golden] of frames) {
      const packet = fromBinary(PacketSchema, bytesOf(golden))
      expect(toJson(PacketSchema, packet), name).toEqual(golden.packet)
      if (golden.json !== undefined)
        expect(packetOfJson(golden.json).toString('hex')).toBe(golden.hex)
      if (golden.decodeOnly) continue
      const written = toBinary(PacketSchema, fromJson(PacketSchema, golden.packet ?? {}))
      expect(Buffer.from(written).toString('hex'), name).toBe(golden.hex)
    }
  })

  test('are taken from clients as they were', () => {
    for (const [name, golden] of frames) {
      if (golden.from === 'gateway') continue
      expect(framesTaken(bytesOf(golden)), name).toBe(golden.packet?.frames?.length ?? 0)
    }
  })

  test('are what its clients read of those of today, but for what they do not know', () => {
    const old = packetOf(schema)
    for (const [name, golden] of goldenFrames()) {
      if (!golden.packet || golden.from === 'client') continue
      const today = toJson(PacketSchema, fromBinary(PacketSchema, bytesOf(golden)), {
        enumAsInteger: true,
      })
      const known = fromJson(old, today, { ignoreUnknownFields: true })
      const read = fromBinary(old, bytesOf(golden))
      expect(toJson(old, read), name).toEqual(toJson(old, known))
    }
  })
})

async function enter(client: OldClient): Promise<number> {
  client.send(hello(), proof(), join())
  expect(await client.hears('welcome')).toMatchObject({ id: 1 })
  expect(await client.hears('lockStep', 'verdict')).toMatchObject({
    id: 2,
    lockStep: { verdict: { outcome: 'OUTCOME_PASSED' } },
  })
  const { room } = await client.hears('room', 'joined')
  return (room as { joined: { route: number } }).joined.route
}

function hello(more: { resume?: string } = {}) {
  return { id: 1, hello: { capabilities: ['resume'], agent: 'porthouse-old', ...more } }
}

function proof() {
  return { id: 2, lockStep: { answer: { acceptor: 'token', text: token } } }
}

function join() {
  return { id: 3, room: { join: { address: 'room:demo/hello' } } }
}
