/** Wrong packets: each ends with its code, and nobody else notices (PH-2, PH-3, E1 to E9). */
import { createHash } from 'node:crypto'
import { create, fromBinary, toJsonString } from '@bufbuild/protobuf'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { all, any, guardedBy, lock } from '../support/access.ts'
import { field, varintField } from '../support/bytes.ts'
import {
  answer,
  bye,
  type FrameInit,
  hello,
  join,
  packetOf,
  say,
  text,
} from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { brief } from '../support/heard.ts'
import { dropped, member, refusals, Witnesses } from '../support/outcome.ts'
import {
  BINARY,
  encodeFrame,
  RawWebSocket,
  resetRawWebSockets,
  TEXT,
} from '../support/raw-websocket.ts'

const JSON_LANE = { protocol: 'porthouse.v1.json' }

let gateway: TestGateway
let token: string
let witnesses: Witnesses

beforeAll(async () => {
  gateway = await TestGateway.start({ limbo: { frames: 2000, bytes: 1_048_576 } })
  await gateway.room('acme/boiler')
  token = await gateway.token('acme', ['boiler'])
  witnesses = await Witnesses.call(gateway)
})
afterEach(() => {
  resetRawWebSockets()
  return witnesses.check()
})
afterAll(() => gateway.stop())

const open = (options = {}) => RawWebSocket.open(gateway.port, options)

const ID = 1
const ENVELOPE = 5
/** A packet of one frame with these fields. */
const frame = (...fields: Uint8Array[]) => field(1, ...fields)
const envelope = (...fields: Uint8Array[]) => frame(field(ENVELOPE, ...fields))
const hex = (digits: string) => Buffer.from(digits.replaceAll(' ', ''), 'hex')

describe('bytes that are no packet', () => {
  test.each([
    ['half a varint', hex('ff')],
    ['a tag alone', hex('0a')],
    ['a frame longer than its packet', hex('0a 05 08 01')],
    ['a frame of 4 GiB', hex('0a ff ff ff ff 0f')],
    ['a length over 32 bits', hex('0a ff ff ff ff 7f')],
    ['a body longer than its frame', frame(hex('12 02 00'))],
    ['a varint of 11 bytes', frame(hex('78 ff ff ff ff ff ff ff ff ff ff 01'))],
    ['a varint of 65 bits', frame(hex('78 ff ff ff ff ff ff ff ff ff 02'))],
    ['an id over 32 bits', frame(hex('08 ff ff ff ff 7f'))],
    ['a tag over 32 bits', hex('fa ff ff ff 7f 00')],
    ['a group', hex('0b 0c')],
    ['an unknown group in a frame', frame(hex('7b 7c'))],
    ['the end of a group', hex('0c')],
    ['1,000 groups, one within the other', frame(Buffer.alloc(1000, 0x7b))],
    ['wire type 6', hex('0e')],
    ['wire type 7', hex('7f 00')],
    ['field number 0', hex('02 00')],
    ['frames of another wire type', hex('08 01')],
    ['an id with bytes', frame(field(ID, 'x'))],
    ['a body of another wire type', frame(varintField(2, 1))],
    ['half a fixed field', frame(hex('79 00 00'))],
    ['two bodies', frame(field(2), field(8))],
    ['one body twice', frame(field(2), field(2))],
    ['a Join that is not UTF-8', frame(field(7, field(1, field(1, hex('ff')))))],
    ['an answer with a group', frame(field(4, hex('1b 1c')))],
    ['routing twice', envelope(field(1), field(1))],
    ['routing of another wire type', envelope(varintField(1, 1))],
    ['content twice', envelope(field(3, 'x'), field(6, 'x'))],
    ['route and to', envelope(field(1, varintField(1, 1), field(3, 'room:acme/boiler')))],
    ['a route over 32 bits', envelope(field(1, varintField(1, 2n ** 32n)))],
    ['a header that is a number', envelope(field(5, varintField(1, 1)))],
    ['half a header', envelope(field(5, hex('0a 05 61')))],
  ])('%s', async (_name, bytes) => {
    const socket = await open()
    socket.packet(hello(1))
    socket.send(
      BINARY,
      Buffer.concat([packetOf(answer(2, token), join(3, 'room:acme/boiler')), bytes]),
    )
    const { code, before } = await dropped(socket)
    expect(code).toBe('MALFORMED_PACKET')
    // What came before in the same packet has been done (PH-2.3).
    expect(before.map(({ id, body }) => [id, body.case])).toEqual([
      [1, 'welcome'],
      [2, 'lockStep'],
      [3, 'room'],
    ])
  })

  test.each([
    ['half a field', hex('1a 05 61')],
    ['text that is not UTF-8', field(3, hex('c3 28'))],
    ['the end of a group', hex('2c')],
    ['400,000 groups, one within the other', Buffer.alloc(400_000, 0x2b)],
  ])('a Hello with %s', async (_name, bytes) => {
    const socket = await open()
    socket.send(BINARY, frame(field(2, bytes)))
    expect(await dropped(socket)).toEqual({ code: 'MALFORMED_PACKET', before: [] })
  })

  test('any bytes are a packet, or end with a code of what is wrong with them', async () => {
    const fields = fc.array(fc.tuple(fc.nat(9), fc.uint8Array({ maxLength: 8 })), { maxLength: 4 })
    const nearly = fields.map((all) => frame(...all.map(([number, bytes]) => field(number, bytes))))
    const bytes = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 64 }), nearly)
    await fc.assert(
      fc.asyncProperty(bytes, async (packet) => {
        const socket = await open()
        socket.send(BINARY, packet)
        socket.packet(join(7, 'room:no/'), bye)
        const { code } = await socket.ended
        if (code !== 1000) expect((await dropped(socket)).code).not.toBe('INTERNAL')
      }),
      { numRuns: 300 },
    )
  })
})

describe('frames out of place', () => {
  const step = (value: object) =>
    ({ body: { case: 'lockStep', value: { step: value } } }) as FrameInit
  const room = (action: object) => ({ body: { case: 'room', value: { action } } }) as FrameInit
  const foreign: [string, FrameInit][] = [
    ['Welcome', { body: { case: 'welcome', value: {} } }],
    ['Receipt', { body: { case: 'receipt', value: {} } }],
    ['a challenge', step({ case: 'challenge', value: {} })],
    ['a verdict', step({ case: 'verdict', value: {} })],
    ['Joined', room({ case: 'joined', value: {} })],
    ['Left', room({ case: 'left', value: {} })],
    ['Lost', room({ case: 'lost', value: {} })],
    ['Hello again', hello(0)],
  ]

  test.each(foreign)('%s from a client, in limbo and unlocked', async (_name, wrong) => {
    const stranger = await open()
    stranger.packet(hello(1), wrong)
    expect((await dropped(stranger)).code).toBe('FRAME_NOT_ALLOWED')
    const { socket } = await member(gateway, token, 'room:acme/boiler')
    socket.packet(wrong)
    expect((await dropped(socket)).code).toBe('FRAME_NOT_ALLOWED')
    const json = await open(JSON_LANE)
    const packet = create(PacketSchema, { frames: [hello(1), wrong] })
    json.send(TEXT, toJsonString(PacketSchema, packet))
    expect((await dropped(json, TEXT)).code).toBe('FRAME_NOT_ALLOWED')
  })

  test('Hello after another frame', async () => {
    const socket = await open()
    socket.packet(join(1, 'room:acme/boiler'), hello(2))
    expect((await dropped(socket)).code).toBe('FRAME_NOT_ALLOWED')
  })

  test('an envelope in limbo that leads nowhere is rejected by itself', async () => {
    const socket = await open()
    socket.packet(text(1, 'x', { to: ['client:acme/pump'] }), text(2, 'x'))
    socket.packet(answer(3, token), text(4, 'x'))
    const frames = await socket.frames(4)
    expect(refusals(frames)).toEqual([
      [1, 'UNAUTHENTICATED'],
      [2, 'UNAUTHENTICATED'],
    ])
    expect(frames[3]).toMatchObject({ id: 4, body: { case: 'receipt' } })
  })

  test('after the last frame nothing is handled', async () => {
    const { socket, route } = await member(gateway, token, 'room:acme/boiler')
    const heard = await member(gateway, token, 'room:acme/boiler')
    socket.packet({ body: { case: 'welcome', value: {} } }, text(1, 'x', { route }))
    socket.packet(text(2, 'y', { route }))
    expect((await dropped(socket)).before).toEqual([])
    heard.socket.packet(text(3, 'z', { route: heard.route }))
    // The first message that the room ever had, after those that were ignored.
    expect(await heard.socket.frame()).toMatchObject({ id: 3, body: { value: { sockets: 0 } } })
    await vi.waitFor(() => expect(gateway.sockets).toBe(3))
  })

  test('a client that leaves is let go, with what it asked for before', async () => {
    const socket = await open()
    socket.packet(hello(1), answer(2, token), bye, hello(3))
    expect(await socket.ended).toEqual({ code: 1000, reason: '' })
    const ids = (await socket.rest()).map(({ id, body }) => [id, body.case])
    expect(ids).toEqual([
      [1, 'welcome'],
      [2, 'lockStep'],
    ])
  })
})

describe('what the gateway alone may set', () => {
  const unlocked = async (bytes: Uint8Array) => {
    const { socket } = await member(gateway, token, 'room:acme/boiler')
    socket.send(BINARY, bytes)
    return dropped(socket)
  }

  test('a stamp', async () => {
    expect((await unlocked(packetOf(text(1, 'x', {}, { stamp: {} })))).code).toBe('RESERVED_FIELD')
    expect((await unlocked(envelope(varintField(2, 1)))).code).toBe('RESERVED_FIELD')
    const socket = await open(JSON_LANE)
    socket.send(TEXT, '{"frames":[{"envelope":{"stamp":{"from":"socket:aaaaaaaaaaaaaaaa"}}}]}')
    expect((await dropped(socket, TEXT)).code).toBe('RESERVED_FIELD')
  })

  test.each([16, 23, 31])('field %i of an envelope', async (number) => {
    expect((await unlocked(envelope(field(number, 'x')))).code).toBe('RESERVED_FIELD')
  })

  test.each([12, 15, 32, 1000])('field %i is free, and arrives', async (number) => {
    const [sender, heard] = [
      await member(gateway, token, 'room:acme/boiler'),
      await member(gateway, token, 'room:acme/boiler'),
    ]
    const extension = field(number, 'extension')
    const routing = field(1, varintField(1, sender.route))
    sender.socket.send(BINARY, envelope(extension, routing, field(6, 'x')))
    expect((await heard.socket.next(BINARY)).includes(extension)).toBe(true)
  })
})

describe('text that is not UTF-8', () => {
  const bad = hex('c3 28')
  test.each([
    ['a text', envelope(field(6, bad))],
    ['a content type', envelope(field(4, bad))],
    ['a header name', envelope(field(5, field(1, bad)))],
    ['a header', envelope(field(5, field(1, 'x'), field(2, hex('ed a0 80'))))],
    ['a reply address', envelope(field(7, bad))],
    ['a destination', envelope(field(1, field(3, bad)))],
    ['a channel', envelope(field(1, varintField(1, 1), field(2, bad)))],
    ['a key', envelope(field(1, field(5, hex('f4 90 80 80'))))],
  ])('in %s', async (_name, bytes) => {
    const { socket } = await member(gateway, token, 'room:acme/boiler')
    socket.send(BINARY, bytes)
    expect((await dropped(socket)).code).toBe('INVALID_UTF8')
  })
})

describe('what this side does not know', () => {
  test('is refused by its id or ignored, and the connection lives', async () => {
    const socket = await open()
    const unknown = [
      // Fields of a later minor version.
      Buffer.concat([field(100, 'x'), varintField(99, 2n ** 63n), hex('f9 06'), Buffer.alloc(8)]),
      frame(varintField(ID, 9), field(2, field(50, 'x')), varintField(ID, 8)),
      frame(varintField(ID, 1)),
      frame(varintField(ID, 2), field(14, 'body')),
      frame(varintField(ID, 3), field(4)),
      frame(varintField(ID, 4), field(7, field(15, 'action'))),
      frame(),
      frame(field(12, 'body')),
      frame(field(7)),
    ]
    socket.send(BINARY, Buffer.concat(unknown))
    const [welcome, ...frames] = await socket.frames(5)
    // Of a number that is given twice the later counts (PH-2.7).
    expect(welcome).toMatchObject({ id: 8, body: { case: 'welcome' } })
    expect(refusals(frames)).toEqual([1, 2, 3, 4].map((id) => [id, 'UNIMPLEMENTED']))
    socket.packet(join(6, 'room:'))
    expect(refusals([await socket.frame()])).toEqual([[6, 'ADDRESS_INVALID']])
  })

  test('1 MiB of it is read in one go', async () => {
    const { socket } = await member(gateway, token, 'room:acme/boiler')
    const small = varintField(99, 1)
    const most = Buffer.alloc(Math.floor(1_040_000 / small.length) * small.length, small)
    socket.send(BINARY, Buffer.concat([most, packetOf(join(7, 'room:'))]))
    expect(refusals([await socket.frame()])).toEqual([[7, 'ADDRESS_INVALID']])
  })

  test('messages within messages, 1,000 deep, are bytes like others', async () => {
    let deep: Buffer = field(15)
    for (let i = 0; i < 1000; i++) deep = field(15, deep)
    const socket = await open()
    socket.send(BINARY, frame(varintField(ID, 1), deep))
    expect(refusals([await socket.frame()])).toEqual([[1, 'UNIMPLEMENTED']])
  })
})

describe('JSON', () => {
  test.each([
    ['half a text', '{"frames":['],
    ['another kind of value', '[]'],
    ['a word', 'hello'],
    ['two values', '{}{}'],
    ['a frame that is a number', '{"frames":[1]}'],
    ['two bodies', '{"frames":[{"hello":{},"drop":{}}]}'],
    ['an id over 32 bits', '{"frames":[{"id":4294967296}]}'],
    ['an id that is negative', '{"frames":[{"id":-1}]}'],
    ['bytes that are not base64', '{"frames":[{"envelope":{"payload":"*"}}]}'],
    ['content twice', '{"frames":[{"envelope":{"payload":"","text":""}}]}'],
    ['half a surrogate pair', '{"frames":[{"envelope":{"text":"\\ud800"}}]}'],
    ['100,000 brackets', '['.repeat(100_000)],
    ['100,000 objects', '{"frames":'.repeat(100_000)],
    ['NUL', '\0'],
  ])('%s is no packet', async (_name, packet) => {
    const socket = await open(JSON_LANE)
    socket.send(TEXT, packet)
    expect((await dropped(socket, TEXT)).code).toBe('MALFORMED_PACKET')
  })

  test('unknown names are dropped, however deep', async () => {
    const socket = await open(JSON_LANE)
    const deep = `${'{"x":'.repeat(5000)}1${'}'.repeat(5000)}`
    socket.send(TEXT, `{"y":${deep},"frames":[{"z":${deep},"id":1,"room":{"join":{"q":[]}}}]}`)
    expect(refusals([await socket.frame(TEXT)])).toEqual([[1, 'ADDRESS_INVALID']])
  })

  test('names of object properties are ordinary names', async () => {
    const sender = await open(JSON_LANE)
    const heard = await member(gateway, token, 'room:acme/boiler')
    const packet = { frames: [answer(1, token), join(2, 'room:acme/boiler')] }
    sender.send(TEXT, toJsonString(PacketSchema, create(PacketSchema, packet)))
    await sender.frames(2, TEXT)
    const headers = '{"__proto__":"a","constructor":"b","toString":"c"}'
    sender.send(TEXT, `{"frames":[{"envelope":{"text":"x","headers":${headers}}}]}`)
    const bytes = await heard.socket.next(BINARY)
    for (const [name, value] of [
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['toString', 'c'],
    ]) {
      expect(bytes.includes(Buffer.concat([field(1, name!), field(2, value!)]))).toBe(true)
    }
  })

  test('text that is not UTF-8 is closed with the code of RFC 6455', async () => {
    const socket = await open(JSON_LANE)
    socket.send(TEXT, hex('7b c3 28 7d'))
    expect((await socket.ended).code).toBe(1007)
  })
})

describe('the data type of the other lane', () => {
  test('text on porthouse.v1', async () => {
    const socket = await open()
    socket.packet(hello(1))
    socket.send(TEXT, '{}')
    socket.packet(join(2, 'room:'))
    const { code, before } = await dropped(socket)
    expect([code, before.length]).toEqual(['WRONG_DATA_TYPE', 1])
  })

  test('binary on porthouse.v1.json', async () => {
    const socket = await open(JSON_LANE)
    socket.packet(hello(1))
    expect((await dropped(socket, TEXT)).code).toBe('WRONG_DATA_TYPE')
  })
})

test('one packet with hello, token, join and messages is answered by one', async () => {
  const first = packetOf(
    hello(1),
    answer(2, token),
    join(3, 'room:acme/boiler'),
    text(4, 'first'),
    text(5, 'second', { to: ['room:acme/boiler'] }),
  )
  const heard = await member(gateway, token, 'room:acme/boiler')
  const socket = await open({ early: encodeFrame(BINARY, first) })
  const { frames } = fromBinary(PacketSchema, await socket.next(BINARY))
  expect(frames.map(({ id, body }) => [id, body.case])).toEqual([
    [1, 'welcome'],
    [2, 'lockStep'],
    [3, 'room'],
    [4, 'receipt'],
    [5, 'receipt'],
  ])
  const contents = await heard.socket.frames(2)
  expect(contents.map(({ body }) => body.value)).toMatchObject([
    { content: { value: 'first' } },
    { content: { value: 'second' } },
  ])
})

describe('one packet each way, whatever dance the room asks for (R13)', () => {
  const preset = lock('preset', {
    challenge: 'who goes there?',
    response_sha256: createHash('sha256').update('a friend').digest('hex'),
  })
  const rooms: [string, ReturnType<typeof any>][] = [
    ['either', any('ssh-key', 'password', 'token')],
    ['nested', any('password', 'identity')],
    ['deep', all(preset, 'identity')],
  ]
  let secret: string

  beforeAll(async () => {
    for (const [room, flow] of rooms) await gateway.room(`acme/${room}`, [guardedBy(flow)])
    const names = rooms.map(([room]) => room)
    secret = await gateway.token('acme', names, { client: 'pump' })
  })

  /** Its frames in short, and what a member of the room heard. */
  async function once(room: string, ...frames: FrameInit[]) {
    const listener = await open()
    listener.packet(answer(1, secret), join(2, `room:acme/${room}`), say(3, 'preset', 'a friend'))
    while ((await listener.frame()).body.case !== 'room');
    const packet = packetOf(hello(1), ...frames, text(9, 'first'))
    const socket = await open({ early: encodeFrame(BINARY, packet) })
    const answered = fromBinary(PacketSchema, await socket.next(BINARY))
    const [message] = await listener.frames(1)
    expect(message?.body.value).toMatchObject({ content: { value: 'first' } })
    return answered.frames.map((each) => brief(each).replace(/(ROUTED) \d+$/, '$1'))
  }

  test('any of several, of which one is known', async () => {
    const frames = [answer(2, secret), join(3, 'room:acme/either')]
    expect(await once('either', ...frames)).toEqual([
      '1 welcome',
      '2 verdict passed',
      '3 joined room:acme/either',
      '9 receipt ROUTED',
    ])
    expect(await once('either', ...frames.toReversed())).toEqual([
      '1 welcome',
      '3 challenge ssh-key',
      '2 verdict passed',
      '3 joined room:acme/either',
      '9 receipt ROUTED',
    ])
  })

  test('who is there, by a token', async () => {
    const frames = [join(2, 'room:acme/nested'), say(3, 'identity'), answer(4, secret)]
    expect(await once('nested', ...frames)).toEqual([
      '1 welcome',
      '2 challenge password',
      '3 challenge ssh-key',
      '4 verdict passed',
      '0 verdict passed',
      '2 joined room:acme/nested',
      '9 receipt ROUTED',
    ])
  })

  test('a word, and then who is there, by a token that was given ahead', async () => {
    const frames = [join(2, 'room:acme/deep'), answer(3, secret), say(4, 'preset', 'a friend')]
    expect(await once('deep', ...frames)).toEqual([
      '1 welcome',
      '2 challenge preset',
      '4 verdict passed',
      '3 verdict passed',
      '0 verdict passed',
      '2 joined room:acme/deep',
      '9 receipt ROUTED',
    ])
  })
})
