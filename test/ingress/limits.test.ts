/** Too much of anything, at the bound and one over it (PH-2.9, PH-4.5, PH-6.5, E10). */
import { create, toJsonString } from '@bufbuild/protobuf'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ANSWER_BYTES_MAX } from '../../gateway/protocol/limits.ts'
import {
  answer,
  type FrameInit,
  hello,
  join,
  leave,
  packetOf,
  text,
} from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { dropped, type Member, member, refusals, Witnesses } from '../support/outcome.ts'
import {
  BINARY,
  CONTINUATION,
  RawWebSocket,
  resetRawWebSockets,
  TEXT,
} from '../support/raw-websocket.ts'

const limits = {
  packetBytes: 4096,
  packetFrames: 8,
  frameBytes: 2048,
  payloadBytes: 1024,
  headersBytes: 256,
  headers: 4,
  destinations: 4,
  rooms: 2,
  subscriptions: 2,
}
const ROOM = 'room:acme/boiler'

let gateway: TestGateway
let token: string
let witnesses: Witnesses

beforeAll(async () => {
  gateway = await TestGateway.start({ limits })
  for (const room of ['boiler', 'pump', 'valve']) await gateway.room(`acme/${room}`)
  await gateway.room('open/hall', [{ case: 'access', value: { locks: [] } } as never])
  token = await gateway.token('acme', ['boiler', 'pump', 'valve'])
  witnesses = await Witnesses.call(gateway)
})
afterEach(() => {
  resetRawWebSockets()
  return witnesses.check()
})
afterAll(() => gateway.stop())

const open = (protocol = 'porthouse.v1') => RawWebSocket.open(gateway.port, { protocol })
const json = (...frames: FrameInit[]) =>
  toJsonString(PacketSchema, create(PacketSchema, { frames }))

/** A packet of exactly so many bytes that asks for a Welcome. */
function packetOfSize(size: number): Buffer {
  const pad = (length: number) =>
    Buffer.concat([Buffer.from([0x7a, 0xff, 0x1f]), Buffer.alloc(length)])
  const start = packetOf(hello(1))
  // Field 15 with a length of two bytes.
  const bytes = Buffer.concat([start, pad(size - start.length - 3)])
  const length = size - start.length - 3
  bytes[start.length + 1] = (length & 0x7f) | 0x80
  bytes[start.length + 2] = length >> 7
  return bytes
}

describe('bounds of a packet', () => {
  test('bytes, whole or in fragments', async () => {
    const socket = await open()
    socket.send(BINARY, packetOfSize(4096))
    expect(await socket.frame()).toMatchObject({ body: { case: 'welcome', value: { limits } } })
    socket.send(BINARY, packetOfSize(4097))
    // What the WebSocket library refuses has no Drop (PH-9.6).
    expect((await socket.ended).code).toBe(1009)
    expect(await socket.rest()).toEqual([])
    const parts = await open()
    parts.send(BINARY, packetOfSize(4096), { fin: false })
    parts.send(CONTINUATION, 'x')
    expect((await parts.ended).code).toBe(1009)
    const text = await open('porthouse.v1.json')
    text.send(TEXT, json(hello(1)).padEnd(4096))
    await text.frame(TEXT)
    text.send(TEXT, json(hello(1)).padEnd(4097))
    expect((await text.ended).code).toBe(1009)
  })

  test('a length that is only claimed costs nothing', async () => {
    const socket = await open()
    socket.send(BINARY, '', { length: 2n ** 40n })
    expect((await socket.ended).code).toBe(1009)
  })

  test.each(['porthouse.v1', 'porthouse.v1.json'])('frames, on %s', async (protocol) => {
    const opcode = protocol === 'porthouse.v1' ? BINARY : TEXT
    const frames = (count: number) => Array.from({ length: count }, (_, i) => join(i + 1, ''))
    const send = (socket: RawWebSocket, all: FrameInit[]) =>
      socket.send(opcode, opcode === BINARY ? packetOf(...all) : json(...all))
    const socket = await open(protocol)
    send(socket, frames(8))
    await socket.frames(8, opcode)
    send(socket, frames(9))
    const { code, before } = await dropped(socket, opcode)
    expect([code, before.length]).toEqual(['TOO_MANY_FRAMES', 8])
  })

  test.each(['porthouse.v1', 'porthouse.v1.json'])('a frame, on %s', async (protocol) => {
    const opcode = protocol === 'porthouse.v1' ? BINARY : TEXT
    const socket = await open(protocol)
    const large = [answer(2, 'x'.repeat(2048))]
    socket.send(opcode, opcode === BINARY ? packetOf(...large) : json(...large))
    expect((await dropped(socket, opcode)).code).toBe('FRAME_TOO_LARGE')
  })

  test('fragments', async () => {
    const socket = await open()
    socket.send(BINARY, '', { fin: false })
    for (let i = 0; i < 1100; i++) socket.send(CONTINUATION, '', { fin: false })
    expect((await socket.ended).code).toBe(1008)
  })
})

describe('bounds of an envelope: a receipt says so, and the connection lives', () => {
  const headers = (count: number, size: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}`, 'x'.repeat(size - 1)]))
  const cases: [string, string, (over: number) => FrameInit][] = [
    ['text', 'PAYLOAD_TOO_LARGE', (over) => text(1, 'x'.repeat(1024 + over))],
    [
      'payload',
      'PAYLOAD_TOO_LARGE',
      (over) => {
        const value = new Uint8Array(1024 + over)
        return text(1, '', {}, { content: { case: 'payload', value } })
      },
    ],
    ['headers', 'HEADERS_TOO_LARGE', (over) => text(1, 'x', {}, { headers: headers(4 + over, 5) })],
    [
      'bytes of headers',
      'HEADERS_TOO_LARGE',
      (over) => text(1, 'x', {}, { headers: { x: 'x'.repeat(255 + over) } }),
    ],
    [
      'destinations',
      'TOO_MANY_DESTINATIONS',
      (over) => text(1, 'x', { to: Array(4 + over).fill('socket:aaaaaaaaaaaaaaaa') }),
    ],
    ['key', 'NAME_TOO_LONG', (over) => text(1, 'x', { idempotencyKey: 'x'.repeat(128 + over) })],
    [
      'content type',
      'NAME_TOO_LONG',
      (over) => text(1, 'x', {}, { contentType: 'x'.repeat(128 + over) }),
    ],
    [
      'reply address',
      'NAME_TOO_LONG',
      (over) => text(1, 'x', {}, { replyTo: 'x'.repeat(512 + over) }),
    ],
    [
      'correlation',
      'NAME_TOO_LONG',
      (over) => text(1, 'x', {}, { correlationId: new Uint8Array(128 + over) }),
    ],
  ]

  test.each(cases)('%s', async (_name, code, make) => {
    const { socket } = await member(gateway, token, ROOM)
    socket.packet(make(0), make(1), make(0))
    const frames = await socket.frames(3)
    expect(refusals(frames)).toEqual([[1, code]])
    expect(refusals([frames[1]!])).toEqual([[1, code]])
  })

  test.each([
    ['an address of 513 bytes', `room:acme/${'x'.repeat(503)}`, 'NAME_TOO_LONG'],
    ['a room of 64 characters', `room:acme/${'x'.repeat(64)}`, 'NAME_TOO_LONG'],
    ['a channel of 256 bytes', `${ROOM}/${'x'.repeat(256)}`, 'NAME_TOO_LONG'],
    ['17 levels', `${ROOM}${'/x'.repeat(17)}`, 'NESTING_TOO_DEEP'],
    ['nothing', '', 'ADDRESS_INVALID'],
    ['no kind', 'acme/boiler', 'ADDRESS_INVALID'],
    ['an unknown kind', 'mail:acme/boiler', 'ADDRESS_INVALID'],
    ['an empty room', 'room:acme/', 'ADDRESS_INVALID'],
    ['an empty level', `${ROOM}/a//b`, 'ADDRESS_INVALID'],
    ['NUL', `${ROOM}/a\0`, 'ADDRESS_INVALID'],
    ['a parent', `${ROOM}/../x`, 'ADDRESS_INVALID'],
    ['#', `${ROOM}/#`, 'ADDRESS_INVALID'],
    ['+', `${ROOM}/+`, 'ADDRESS_INVALID'],
    ['$', `${ROOM}/$sys`, 'ADDRESS_INVALID'],
    ['a bidi control', `${ROOM}/\u202e`, 'ADDRESS_INVALID'],
    ['a decomposed letter', `${ROOM}/e\u0301`, 'ADDRESS_INVALID'],
    ['a reserved word', 'room:v1/boiler', 'ADDRESS_INVALID'],
    ['a property of objects', 'room:__proto__/boiler', 'ADDRESS_INVALID'],
    ['a socket that is none', 'socket:AAAA', 'ADDRESS_INVALID'],
  ])('%s as a destination, to join and to leave', async (_name, address, code) => {
    const { socket, route } = await member(gateway, token, ROOM)
    socket.packet(text(1, 'x', { to: [address] }), join(2, address), leave(3, address))
    expect(refusals(await socket.frames(3))).toEqual([
      [1, code],
      [2, code],
      [3, code],
    ])
    socket.packet(text(4, 'x', { route }))
    expect(await socket.frame()).toMatchObject({ id: 4, body: { value: { sockets: 0 } } })
  })

  test('a group that the room does not have; to leave it is no fault', async () => {
    const { socket } = await member(gateway, token, ROOM)
    const group = 'group:acme/boiler/debug'
    socket.packet(text(1, 'x', { to: [group] }), join(2, group), leave(3, group))
    const frames = await socket.frames(3)
    expect(refusals(frames.slice(0, 2))).toEqual([
      [1, 'TARGET_UNKNOWN'],
      [2, 'TARGET_UNKNOWN'],
    ])
    expect(frames[2]).toMatchObject({ id: 3, body: { value: { action: { case: 'left' } } } })
  })

  test('a channel beside a route', async () => {
    const { socket, route } = await member(gateway, token, ROOM)
    for (const [channel, code] of [
      ['x'.repeat(256), 'NAME_TOO_LONG'],
      ['a//b', 'ADDRESS_INVALID'],
      ['*', 'ADDRESS_INVALID'],
    ] as const) {
      socket.packet(text(1, 'x', { route, channel }))
      expect(refusals([await socket.frame()])).toEqual([[1, code]])
    }
  })
})

describe('bounds of other frames: the request is refused, and the connection lives', () => {
  test.each([
    ['agent', { agent: 'x'.repeat(129) }],
    ['capabilities', { capabilities: Array(33).fill('x') }],
    ['a capability', { capabilities: ['x'.repeat(65)] }],
  ])('Hello: %s', async (_name, value) => {
    const socket = await open()
    socket.packet({ id: 1, body: { case: 'hello', value } }, join(2, ''))
    expect(refusals(await socket.frames(2))).toEqual([
      [1, 'NAME_TOO_LONG'],
      [2, 'ADDRESS_INVALID'],
    ])
  })

  test('an answer', async () => {
    const large = await gateway.beside()
    const socket = await RawWebSocket.open(large.port)
    const named = (id: number, lock: string, acceptor: string): FrameInit => ({
      id,
      body: { case: 'lockStep', value: { lock, step: { case: 'answer', value: { acceptor } } } },
    })
    socket.packet(
      answer(1, 'x'.repeat(ANSWER_BYTES_MAX + 1)),
      answer(2, new Uint8Array(ANSWER_BYTES_MAX + 1)),
      named(3, 'x'.repeat(513), 'token'),
      named(4, '', 'x'.repeat(513)),
      named(5, '', '__proto__'),
      named(6, 'lock:aaaaaaaaaaaaaaaa', 'token'),
      answer(7, token),
    )
    const frames = await socket.frames(7)
    expect(refusals(frames)).toEqual([
      [1, 'PAYLOAD_TOO_LARGE'],
      [2, 'PAYLOAD_TOO_LARGE'],
      [3, 'NAME_TOO_LONG'],
      [4, 'NAME_TOO_LONG'],
      [5, 'UNIMPLEMENTED'],
      [6, 'FRAME_NOT_ALLOWED'],
    ])
    expect(frames[6]).toMatchObject({ id: 7, body: { case: 'lockStep' } })
    await large.stop()
  })

  test('locks on one stack', async () => {
    const deep = await gateway.beside()
    const rooms = (count: number) =>
      Array.from({ length: count }, (_, i) => join(i + 1, `room:acme/room-${i}`))
    const stranger = await RawWebSocket.open(deep.port)
    stranger.packet(...rooms(17))
    const { code, before } = await dropped(stranger)
    expect([code, before.map(({ body }) => body.case)]).toEqual([
      'NESTING_TOO_DEEP',
      Array(16).fill('lockStep'),
    ])
    const foreign = await gateway.token('witness', ['stand'])
    const { socket } = await member(deep, foreign, 'room:witness/stand')
    socket.packet(...rooms(17))
    expect(refusals(await socket.frames(17))).toEqual([[17, 'NESTING_TOO_DEEP']])
    await deep.stop()
  })

  test('rooms and subscriptions', async () => {
    const { socket } = await member(gateway, token, ROOM)
    socket.packet(join(1, `${ROOM}/a`), join(2, `${ROOM}/b`), join(3, `${ROOM}/a`))
    socket.packet(join(4, 'room:acme/pump'), join(5, 'room:acme/valve'))
    expect(refusals(await socket.frames(5))).toEqual([
      [2, 'ROOM_LIMIT'],
      [5, 'ROOM_LIMIT'],
    ])
  })
})

describe('rights', () => {
  const joined = async (rights: object, rooms = ['boiler']): Promise<Member['socket']> => {
    const secret = await gateway.token('acme', rooms, rights)
    const socket = await open()
    socket.packet(
      answer(1, secret),
      join(2, ROOM),
      join(3, ROOM, true),
      text(4, 'x', { to: [ROOM] }),
    )
    return socket
  }

  test('to send alone', async () => {
    const frames = await (await joined({ receive: false })).frames(4)
    expect(refusals(frames)).toEqual([[2, 'RECEIVE_NOT_PERMITTED']])
  })

  test('to receive alone', async () => {
    const frames = await (await joined({ send: false })).frames(4)
    expect(refusals(frames)).toEqual([
      [3, 'SEND_NOT_PERMITTED'],
      [4, 'SEND_NOT_PERMITTED'],
    ])
  })

  test('in another room', async () => {
    const frames = await (await joined({}, ['pump'])).frames(4)
    const all = [2, 3, 4].map((id) => [id, 'ENTRY_NOT_PERMITTED'])
    expect(refusals(frames)).toEqual(all)
  })

  test('a room that is not there, and one of another account', async () => {
    const { socket, route } = await member(gateway, token, ROOM)
    socket.packet(
      join(1, 'room:acme/nowhere'),
      text(2, 'x', { to: ['room:acme/nowhere'] }),
      text(3, 'x', { route: route + 1 }),
    )
    expect(refusals(await socket.frames(3))).toEqual([
      [1, 'ROOM_UNKNOWN'],
      [2, 'ROOM_UNKNOWN'],
      [3, 'ROUTE_UNKNOWN'],
    ])
    // What exists elsewhere cannot be told from what does not (PH-5.10).
    for (const there of ['room:witness/stand', 'room:witness/nowhere']) {
      const wrong = [5, 6, 7].map((id) => answer(id, 'wrong'))
      socket.packet(text(4, 'x', { to: [there] }), ...wrong)
      const frames = await socket.frames(5)
      expect(frames[0]).toMatchObject({ id: 0, body: { case: 'lockStep' } })
      expect(refusals(frames)).toEqual([[4, 'TRIES_EXHAUSTED']])
    }
  })
})
