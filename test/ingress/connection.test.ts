/** The life of a connection: how it ends, and that nothing of it stays (W1 to W14, L7, L9). */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { answer, join, packetOf, text } from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { type Member, member, Witnesses } from '../support/outcome.ts'
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  closePayload,
  encodeFrame,
  encodeHandshake,
  PING,
  RawWebSocket,
  resetRawWebSockets,
  TEXT,
} from '../support/raw-websocket.ts'

const ROOM = 'room:acme/boiler'

let gateway: TestGateway
let token: string
let witnesses: Witnesses

beforeAll(async () => {
  gateway = await TestGateway.start()
  await gateway.room('acme/boiler')
  token = await gateway.token('acme', ['boiler'])
  witnesses = await Witnesses.call(gateway)
})
afterEach(async () => {
  resetRawWebSockets()
  await witnesses.check()
  // The witnesses alone.
  await vi.waitFor(() => expect(gateway.sockets).toBe(2))
})
afterAll(() => gateway.stop())

const enter = (options = {}) => member(gateway, token, ROOM, options)

/** How many others in the room a message reaches. */
async function reach({ socket, route }: Member): Promise<number> {
  socket.packet(text(1, 'anybody?', { route }))
  const { body } = await socket.frame()
  if (body.case !== 'receipt') throw new Error(`no receipt: ${body.case}`)
  return body.value.sockets
}

describe('a frame that RFC 6455 does not allow', () => {
  test.each([
    ['unmasked', 1002, encodeFrame(BINARY, 'x', { masked: false })],
    ['a reserved bit', 1002, encodeFrame(BINARY, 'x', { rsv: 4 })],
    ['a reserved opcode', 1002, encodeFrame(3, 'x')],
    ['a long ping', 1002, encodeFrame(PING, 'x'.repeat(126))],
    ['a fragmented ping', 1002, encodeFrame(PING, 'x', { fin: false })],
    ['an orphan continuation', 1002, encodeFrame(CONTINUATION, 'x')],
    ['a close of one byte', 1002, encodeFrame(CLOSE, 'x')],
    ['a close with 1005', 1002, encodeFrame(CLOSE, closePayload(1005))],
    ['a close with 999', 1002, encodeFrame(CLOSE, closePayload(999))],
    [
      'a close with a reason that is no text',
      1007,
      encodeFrame(CLOSE, closePayload(1000, Buffer.from([0xff]))),
    ],
    ['text that is no text', 1007, encodeFrame(TEXT, Buffer.from([0xff]))],
    ['a length of 2^63', 1009, encodeFrame(BINARY, '', { length: 2n ** 63n })],
  ])('%s: the session ends at once', async (_name, code, bytes) => {
    const other = await enter()
    const { socket } = await enter({ answersClose: false })
    expect(await reach(other)).toBe(1)
    socket.write(bytes)
    await socket.next(CLOSE)
    // It has not answered the close, and hears nothing any more.
    expect(await reach(other)).toBe(0)
    expect((await socket.ended).code).toBe(code)
    expect(await socket.rest()).toHaveLength(1)
  })
})

describe('a close', () => {
  test.each([
    ['with a code', closePayload(1000, 'bye'), 1000],
    ['with a code of the application', closePayload(4999), 4999],
    ['without one', Buffer.alloc(0), 1005],
  ])('%s is answered, and nothing is sent after it', async (_name, payload, code) => {
    const speaker = await enter()
    const { socket } = await enter()
    const speak = () =>
      speaker.socket.packet(...Array(500).fill(text(0, 'x', { route: speaker.route })))
    speak()
    socket.send(CLOSE, payload)
    // To be ignored (W14).
    socket.packet(text(7, 'late'))
    speak()
    expect((await socket.ended).code).toBe(code)
    expect((await socket.rest()).every(({ body }) => body.case === 'envelope')).toBe(true)
  })

  test('that is never answered ends all the same', async () => {
    const socket = await RawWebSocket.open(gateway.port, { answersClose: false })
    socket.packet({ body: { case: 'welcome', value: {} } })
    expect((await socket.ended).code).toBe(4521)
  })

  test('of a socket that does not read ends all the same', async () => {
    const speaker = await enter()
    const { socket } = await enter()
    socket.pause()
    socket.packet({ body: { case: 'welcome', value: {} } })
    await vi.waitFor(async () => expect(await reach(speaker)).toBe(0))
  })
})

describe('what a peer leaves behind', () => {
  test('half of anything, on 100 connections, and others are served', async () => {
    const message = encodeFrame(BINARY, packetOf(answer(1, token), join(2, ROOM)))
    const large = encodeFrame(BINARY, Buffer.alloc(100_000))
    const halves = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const socket = await RawWebSocket.open(gateway.port)
        socket.write(i % 2 === 0 ? message.subarray(0, i) : large.subarray(0, i * 997))
        return socket
      }),
    )
    expect(gateway.sockets).toBe(102)
    await witnesses.check()
    // They go on where they stopped.
    halves[0]!.write(message)
    halves[2]!.write(message.subarray(2))
    expect(await halves[0]!.frames(2)).toMatchObject([{ id: 1 }, { id: 2 }])
    expect(await halves[2]!.frames(2)).toMatchObject([{ id: 1 }, { id: 2 }])
  })

  test('200 resets in mid-frame', async () => {
    const other = await enter()
    for (let i = 0; i < 200; i++) {
      const { socket } = await enter()
      socket.write(encodeFrame(BINARY, Buffer.alloc(5000)).subarray(0, 1 + i * 20))
      socket.reset()
    }
    await vi.waitFor(async () => expect(await reach(other)).toBe(0))
  })

  test('300 connections that come and go', async () => {
    for (let i = 0; i < 30; i++) {
      const sockets = await Promise.all(Array.from({ length: 10 }, () => enter()))
      for (const { socket } of sockets) socket.send(CLOSE, closePayload(1000))
      await Promise.all(sockets.map(({ socket }) => socket.ended))
    }
  })

  test('a handshake that is cut off anywhere', async () => {
    const handshake = encodeHandshake()
    for (let size = 1; size < handshake.length; size += 17) {
      const socket = connect(gateway.port, '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(handshake.slice(0, size))
      await once(socket, 'connect')
      socket.resetAndDestroy()
    }
  })
})

test('many messages in one read, pings and fragments among them, keep their order', async () => {
  const { socket, route } = await enter()
  const send = (id: number) => packetOf(text(id, `${id}`, { route }))
  const parts = Array.from({ length: 300 }, (_, i) => {
    const packet = send(i + 1)
    if (i % 50 === 40) {
      return Buffer.concat([
        encodeFrame(BINARY, packet.subarray(0, 3), { fin: false }),
        encodeFrame(PING, `${i}`),
        encodeFrame(CONTINUATION, packet.subarray(3)),
      ])
    }
    return Buffer.concat([encodeFrame(BINARY, packet), ...(i % 7 === 0 ? [encodeFrame(PING)] : [])])
  })
  const bytes = Buffer.concat(parts)
  for (let pos = 0; pos < bytes.length; pos += 1013) socket.write(bytes.subarray(pos, pos + 1013))
  const ids = (await socket.frames(300)).map(({ id }) => id)
  expect(ids).toEqual(Array.from({ length: 300 }, (_, i) => i + 1))
})
