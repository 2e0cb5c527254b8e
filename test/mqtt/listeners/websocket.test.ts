/** MQTT over WebSocket: the handshake, and a stream of bytes in messages (threats M20, H5). */
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  closePayload,
  encodeFrame,
  encodeHandshake,
  exchange,
  PING,
  PONG,
  type RawOptions,
  RawWebSocket,
  resetRawWebSockets,
  TEXT,
} from '../../support/raw-websocket.ts'
import { Door } from './door.ts'

let door: Door

beforeAll(async () => {
  door = await Door.open({ mqtt: { listen: 'off', connectTimeoutMs: 500 } })
})
afterEach(resetRawWebSockets)
afterAll(() => door.close())

const handshake = { path: '/mqtt', protocol: 'mqtt' }

function open(more: RawOptions = {}): Promise<RawWebSocket> {
  return RawWebSocket.open(door.webPort, { ...handshake, ...more })
}

async function echoed(socket: RawWebSocket, bytes: string): Promise<string> {
  socket.send(BINARY, bytes)
  let heard = ''
  while (heard.length < bytes.length) heard += (await socket.next(BINARY)).toString()
  return heard
}

describe('the handshake', () => {
  test.each([
    ['mqtt', 'mqtt'],
    ['mqttv3.1', 'mqttv3.1'],
    ['porthouse.v1, mqtt', 'mqtt'],
  ])('that offers %s is answered with %s', async (protocol, chosen) => {
    const socket = await open({ protocol })
    expect(socket.head).toMatch(new RegExp(`^sec-websocket-protocol: ${chosen}\r?$`, 'im'))
    expect(await echoed(socket, 'hello')).toBe('hello')
    expect(door.guests.at(-1)).toMatchObject({
      transport: 'websocket',
      handshake: { remote: '127.0.0.1', headers: { host: '127.0.0.1' } },
    })
  })

  test.each([null, '', 'mqtt5', 'porthouse.v1', 'MQTT', '__proto__'])(
    'that offers %j is refused with 400',
    async (protocol) => {
      const answer = await exchange(door.webPort, encodeHandshake({ ...handshake, protocol }))
      expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    },
  )

  test.each([
    ['https://evil.example', 403],
    ['null', 403],
    ['http://localhost:3000', 101],
    ['http://127.0.0.1', 101],
  ])('of a page of %s is answered with %i', async (origin, status) => {
    const request = encodeHandshake({ ...handshake, headers: { Origin: origin } })
    const close = encodeFrame(CLOSE, closePayload(1000))
    const answer = await exchange(door.webPort, Buffer.concat([Buffer.from(request), close]))
    expect(answer.slice(9, 12)).toBe(String(status))
  })
})

describe('bytes', () => {
  test('are one stream, wherever messages begin and end', async () => {
    const socket = await open()
    socket.send(BINARY, 'he', { fin: false })
    socket.send(CONTINUATION, 'll')
    socket.send(BINARY, '')
    socket.send(BINARY, 'o')
    let heard = ''
    while (heard.length < 5) heard += await socket.next(BINARY)
    expect(heard).toBe('hello')
  })

  test('that come with the handshake are not lost', async () => {
    const socket = await open({ early: encodeFrame(BINARY, 'early') })
    expect((await socket.next(BINARY)).toString()).toBe('early')
  })

  test('that come before a close frame are read before the end', async () => {
    const socket = await open()
    await echoed(socket, 'hello')
    const { stream } = door.guests.at(-1)!
    stream.pause()
    let heard = ''
    stream.on('data', (bytes) => {
      heard += bytes
    })
    stream.pause()
    socket.write(
      Buffer.concat([encodeFrame(BINARY, 'last'), encodeFrame(CLOSE, closePayload(1000))]),
    )
    await socket.ended
    const end = once(stream, 'close')
    stream.resume()
    await end
    expect(heard).toBe('last')
  })

  test('that were written while the way was full go together, in order', async () => {
    const socket = await open()
    await echoed(socket, 'hello')
    const { stream } = door.guests.at(-1)!
    const pieces = Array.from({ length: 100 }, (_, number) => `${number};`)
    for (const piece of pieces) stream.write(Buffer.from(piece))
    let heard = ''
    let messages = 0
    for (; heard.length < pieces.join('').length; messages++) {
      heard += (await socket.next(BINARY)).toString()
    }
    expect(heard).toBe(pieces.join(''))
    expect(messages).toBeLessThan(10)
  })

  test('stop to come while nobody reads them, and go on after', async () => {
    const socket = await open()
    await echoed(socket, 'hello')
    const { stream } = door.guests.at(-1)!
    stream.pause()
    const block = 'x'.repeat(100_000)
    for (let sent = 0; sent < 50; sent++) socket.send(BINARY, block)
    await vi.waitUntil(() => stream.readableLength > stream.readableHighWaterMark)
    expect(stream.readableLength).toBeLessThan(20 * block.length)
    let read = 0
    stream.on('data', (bytes: Buffer) => {
      read += bytes.length
    })
    stream.resume()
    await vi.waitUntil(() => read === 50 * block.length)
  })
})

describe('the end', () => {
  test('text ends it with 1003', async () => {
    const socket = await open()
    socket.send(TEXT, 'CONNECT')
    expect((await socket.ended).code).toBe(1003)
  })

  test('a message over the limit ends it with 1009', async () => {
    const socket = await open()
    socket.send(BINARY, '', { length: 256n << 20n })
    expect((await socket.ended).code).toBe(1009)
  })

  test('the stream ended is a close frame of 1000', async () => {
    const socket = await open()
    await echoed(socket, 'hello')
    const { stream } = door.guests.at(-1)!
    stream.end('bye')
    expect((await socket.next(BINARY)).toString()).toBe('bye')
    expect((await socket.ended).code).toBe(1000)
    if (!stream.closed) await once(stream, 'close')
  })

  test('a stream that is ended while it is paused still sees the answer', async () => {
    const socket = await open()
    await echoed(socket, 'hello')
    const { stream } = door.guests.at(-1)!
    stream.pause()
    stream.end()
    expect((await socket.ended).code).toBe(1000)
  })

  test('the stream destroyed is a cut', async () => {
    const socket = await open()
    await echoed(socket, 'hello')
    door.guests.at(-1)!.stream.destroy()
    expect((await socket.ended).code).toBeUndefined()
  })

  test('a cut of the peer ends the stream', async () => {
    const socket = await open()
    await echoed(socket, 'hello')
    const { stream } = door.guests.at(-1)!
    socket.reset()
    await once(stream, 'close')
  })

  test('who says nothing is not waited for, pings or not', async () => {
    const socket = await open()
    socket.send(PING, 'here')
    expect((await socket.next(PONG)).toString()).toBe('here')
    expect((await socket.ended).code).toBeUndefined()
  })
})
