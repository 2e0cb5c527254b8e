/** The tap and `ws` together give what was sent, however the bytes are cut (decision 5). */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { tapMessages } from '../../gateway/ingress/websocket/message-tap.ts'
import { Turn } from '../../gateway/router/turn.ts'
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  closePayload,
  encodeFrame,
  type FrameOptions,
  PING,
  PONG,
  TEXT,
} from '../support/raw-websocket.ts'

const BYTES_MAX = 70_000

interface Receiver {
  /** What comes out: messages, pings, pongs and errors, in their order. */
  readonly events: string[]
  /** What is written back. */
  readonly written: Buffer[]
  readonly socket: Duplex
  readonly ws: WebSocket
}

const handshake = {
  method: 'GET',
  headers: {
    upgrade: 'websocket',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-version': '13',
  },
} as unknown as IncomingMessage

function receiver(): Receiver {
  const written: Buffer[] = []
  const write = (chunk: Buffer, _encoding: string, done: () => void) => {
    written.push(chunk)
    done()
  }
  const socket = new Duplex({ read: () => {}, write })
  const server = new WebSocketServer({ noServer: true, maxPayload: BYTES_MAX, autoPong: false })
  const events: string[] = []
  const add = (kind: string, bytes: Uint8Array) =>
    events.push(`${kind} ${Buffer.from(bytes).toString('hex')}`)
  let opened: WebSocket | undefined
  server.handleUpgrade(handshake, socket, Buffer.alloc(0), (ws) => {
    opened = ws
    tapMessages(socket as Socket, {
      turn: new Turn(globalThis.setImmediate, () => 0),
      bytesMax: BYTES_MAX,
      target: 'binary',
      deliver: (kind, bytes, start, end) => add(kind, bytes.subarray(start, end)),
    })
    ws.on('message', (data, isBinary) => add(isBinary ? 'binary' : 'text', data as Buffer))
    ws.on('ping', (data) => add('ping', data))
    ws.on('pong', (data) => add('pong', data))
    ws.on('error', (error) => events.push((error as NodeJS.ErrnoException).code!))
  })
  return { events, written, socket, ws: opened! }
}

/** Pushes the bytes in chunks of these sizes, in turn; gives what came out and the close code. */
async function receive(bytes: Buffer, sizes: readonly number[]): Promise<string[]> {
  const { events, written, socket, ws } = receiver()
  const closed = new Promise((resolve) => ws.once('close', resolve))
  let pos = 0
  for (let i = 0; pos < bytes.length; i++) {
    const end = pos + sizes[i % sizes.length]!
    // A copy, as each read of a socket is: the tap unmasks in place.
    socket.push(Buffer.from(bytes.subarray(pos, end)))
    pos = end
  }
  // What was read is handled at the end of its turn, and an error of ws comes out in a later one.
  await setImmediate()
  await setImmediate()
  socket.push(null)
  await closed
  // The head of the handshake, then the close frame.
  const close = Buffer.concat(written.slice(1))
  expect(close.subarray(0, 2).toString('hex')).toBe('8802')
  return [...events, `close ${close.readUInt16BE(2)}`]
}

interface Sent {
  readonly bytes: Buffer
  readonly events: string[]
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const payload = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 130 }) },
  { weight: 1, arbitrary: fc.constantFrom(125, 126, 127, 65_535, 65_536, BYTES_MAX).map(filled) },
)

function filled(size: number): Uint8Array {
  return new Uint8Array(size).map((_, i) => i)
}

const whole = payload.map(
  (bytes): Sent => ({ bytes: encodeFrame(BINARY, bytes), events: [`binary ${hex(bytes)}`] }),
)
const text = fc.string({ unit: 'grapheme', maxLength: 40 }).map(
  (content): Sent => ({
    bytes: encodeFrame(TEXT, content),
    events: [`text ${hex(Buffer.from(content))}`],
  }),
)
const control = fc
  .record({
    opcode: fc.constantFrom(PING, PONG),
    bytes: fc.uint8Array({ maxLength: 125 }),
  })
  .map(
    ({ opcode, bytes }): Sent => ({
      bytes: encodeFrame(opcode, bytes),
      events: [`${opcode === PING ? 'ping' : 'pong'} ${hex(bytes)}`],
    }),
  )
/** A binary message in two to five fragments, control frames between them. */
const fragmented = fc
  .array(fc.tuple(fc.uint8Array({ maxLength: 130 }), fc.array(control, { maxLength: 2 })), {
    minLength: 2,
    maxLength: 5,
  })
  .map((parts): Sent => {
    const last = parts.length - 1
    const frames = parts.flatMap(([bytes, between], i) => [
      encodeFrame(i === 0 ? BINARY : CONTINUATION, bytes, { fin: i === last }),
      ...(i === last ? [] : between.map((each) => each.bytes)),
    ])
    const controls = parts.slice(0, last).flatMap(([, between]) => between.flatMap((c) => c.events))
    const message = hex(Buffer.concat(parts.map(([bytes]) => bytes)))
    return { bytes: Buffer.concat(frames), events: [...controls, `binary ${message}`] }
  })
const stream = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: whole },
    { weight: 2, arbitrary: control },
    { weight: 1, arbitrary: fragmented },
    { weight: 1, arbitrary: text },
  ),
  { maxLength: 12 },
)
const chunkSizes = fc.array(
  fc.oneof(
    fc.integer({ min: 1, max: 20 }),
    fc.nat(5000).map((n) => n + 1),
  ),
  {
    minLength: 1,
    maxLength: 6,
  },
)
const ending = encodeFrame(CLOSE, closePayload(1000))

test('any mix of frames comes out as it was sent, however it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(stream, chunkSizes, async (sent, sizes) => {
      const bytes = Buffer.concat([...sent.map((each) => each.bytes), ending])
      const expected = sent.flatMap((each) => each.events)
      expect(await receive(bytes, sizes)).toEqual([...expected, 'close 1000'])
    }),
    { numRuns: 300 },
  )
})

test('a cut at any byte changes nothing', async () => {
  const sent = [
    [BINARY, 'a'],
    [BINARY, ''],
    [PING, 'b'],
    [BINARY, 'c'.repeat(200)],
    [PONG, ''],
    [BINARY, 'd'.repeat(66_000)],
    [BINARY, 'e'],
  ] as const
  const bytes = Buffer.concat([
    ...sent.map(([opcode, content]) => encodeFrame(opcode, content)),
    ending,
  ])
  const expected = await receive(bytes, [bytes.length])
  expect(expected).toHaveLength(sent.length + 1)
  for (let cut = 1; cut < bytes.length; cut += cut > 300 && cut < 66_000 ? 997 : 1) {
    expect(await receive(bytes, [cut, bytes.length])).toEqual(expected)
  }
})

const illegal: [string, number, Buffer][] = [
  ['unmasked', 1002, encodeFrame(BINARY, 'x', { masked: false })],
  ['an unmasked ping', 1002, encodeFrame(PING, 'x', { masked: false })],
  ...[1, 2, 3, 4, 5, 6, 7].map((rsv): [string, number, Buffer] => [
    `reserved bits ${rsv}`,
    1002,
    encodeFrame(BINARY, 'x', { rsv }),
  ]),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, number, Buffer] => [
    `opcode ${opcode}`,
    1002,
    encodeFrame(opcode, 'x'),
  ]),
  ['a ping of 126 bytes', 1002, encodeFrame(PING, 'x'.repeat(126))],
  ['a pong of 65,536 bytes', 1002, encodeFrame(PONG, 'x'.repeat(65_536))],
  ['a ping in fragments', 1002, encodeFrame(PING, 'x', { fin: false })],
  ['a pong with a reserved bit', 1002, encodeFrame(PONG, 'x', { rsv: 4 })],
  ['an orphan continuation', 1002, encodeFrame(CONTINUATION, 'x')],
  [
    'a message within another one',
    1002,
    Buffer.concat([encodeFrame(BINARY, 'x', { fin: false }), encodeFrame(BINARY, 'y')]),
  ],
  ['text that is not UTF-8', 1007, encodeFrame(TEXT, Buffer.from([0xc3, 0x28]))],
  ['one byte too many', 1009, encodeFrame(BINARY, filled(BYTES_MAX + 1))],
  [
    'fragments that are too large together',
    1009,
    Buffer.concat([
      encodeFrame(BINARY, filled(BYTES_MAX), { fin: false }),
      encodeFrame(CONTINUATION, 'x'),
    ]),
  ],
  ...[2n ** 31n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n].map(
    (length): [string, number, Buffer] => [
      `a length of ${length}`,
      1009,
      encodeFrame(BINARY, 'x', { length } satisfies FrameOptions),
    ],
  ),
]

test.each(illegal)('%s is refused, and nothing after it counts', async (_name, code, bytes) => {
  const before = encodeFrame(BINARY, 'before')
  const after = [encodeFrame(BINARY, 'after'), encodeFrame(PING), ending]
  const sent = Buffer.concat([before, bytes, ...after])
  for (const sizes of [[sent.length], [1], [before.length, bytes.length, 3]]) {
    const events = await receive(sent, sizes)
    expect(events[0]).toBe(`binary ${hex(Buffer.from('before'))}`)
    expect(events[1]).toMatch(/^WS_ERR_/)
    expect(events.slice(2)).toEqual([`close ${code}`])
  }
})

test('what follows a close frame is ignored', async () => {
  const bytes = Buffer.concat([encodeFrame(BINARY, 'a'), ending, encodeFrame(BINARY, 'b'), ending])
  for (const sizes of [[bytes.length], [1]]) {
    expect(await receive(bytes, sizes)).toEqual([`binary ${hex(Buffer.from('a'))}`, 'close 1000'])
  }
})
