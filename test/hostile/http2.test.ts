/** Floods of HTTP/2, streams without number, and clients that go away (C7, H7, H10). */
import { once } from 'node:events'
import { connect, constants } from 'node:http2'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  fields,
  frame,
  HEADERS,
  PING,
  PRIORITY,
  RawHttp2,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from '../support/raw-http2.ts'
import { CHECK, openStand, STREAMS, type Stand, WATCH } from './http-stand.ts'

let stand: Stand
const ended: (() => unknown)[] = []

beforeEach(async () => {
  stand = await openStand()
})
afterEach(async () => {
  vi.useRealTimers()
  for (const end of ended.splice(0)) end()
  expect(await stand.serves()).toBe(true)
  await stand.close()
})

async function dial(): Promise<RawHttp2> {
  const client = await RawHttp2.open(stand.port)
  ended.push(() => client.reset())
  await client.first(({ type }) => type === SETTINGS)
  return client
}

const get = (id: number) => frame(HEADERS, END_HEADERS | END_STREAM, id, fields('/healthz'))
const JSON_TYPE: [string, string][] = [['content-type', 'application/json']]
const post = (id: number) => frame(HEADERS, END_HEADERS, id, fields(CHECK, 'POST', JSON_TYPE))
const cancel = (id: number) => frame(RST_STREAM, 0, id, Buffer.from([0, 0, 0, 8]))
const many = (count: number, one: (index: number) => Uint8Array) =>
  Buffer.concat(Array.from({ length: count }, (_, index) => one(index)))

/** In the static table of RFC 7541: `:status` 200. */
const OK = 0x88

/** The number of the client's stream at an index. */
const nth = (index: number) => 2 * index + 1

/** Writes piece by piece, so that the peer has its turns. */
async function send(client: RawHttp2, bytes: Buffer): Promise<void> {
  const piece = 16_384
  for (let at = 0; at < bytes.length && client.open; at += piece) {
    await client.write(bytes.subarray(at, at + piece))
  }
}

describe('a flood ends the connection by GOAWAY (C7)', () => {
  const begun = frame(HEADERS, 0, 1, fields('/healthz'))
  const field = Buffer.from([0, 1, 97, 1, 98])

  test.each<[string, () => Buffer]>([
    [
      'of streams that are begun and reset',
      () => many(20_000, (i) => Buffer.concat([get(nth(i)), cancel(nth(i))])),
    ],
    [
      'of requests that are given up',
      () => many(20_000, (i) => Buffer.concat([post(nth(i)), cancel(nth(i))])),
    ],
    [
      'of CONTINUATION',
      () => Buffer.concat([begun, many(20_000, () => frame(CONTINUATION, 0, 1, field))]),
    ],
    [
      'of empty CONTINUATION',
      () => Buffer.concat([begun, many(20_000, () => frame(CONTINUATION, 0, 1))]),
    ],
    ['of PING', () => many(40_000, () => frame(PING, 0, 0, Buffer.alloc(8)))],
    ['of SETTINGS', () => many(20_000, () => frame(SETTINGS))],
    [
      'of PRIORITY',
      () => many(40_000, (i) => frame(PRIORITY, 0, nth(i), Buffer.from([0, 0, 0, 0, 1]))),
    ],
    ['of empty DATA', () => Buffer.concat([post(1), many(40_000, () => frame(DATA, 0, 1))])],
  ])('%s', async (_name, flood) => {
    const client = await dial()
    await send(client, flood())
    expect(await client.goaway()).toBeGreaterThan(0)
    await client.closed
  })

  test('or is read as fast as it comes: of WINDOW_UPDATE', async () => {
    const client = await dial()
    await send(
      client,
      many(40_000, () => frame(WINDOW_UPDATE, 0, 0, Buffer.from([0, 0, 0, 1]))),
    )
    await client.write(frame(PING, 0, 0, Buffer.from('the last')))
    const echo = await client.first(({ type, payload }) => type === PING && payload[0] !== 0)
    expect(echo?.payload.toString()).toBe('the last')
  })
})

describe('too much before the body (H6, H7)', () => {
  async function send(more: [string, string][]): Promise<RawHttp2> {
    const client = await dial()
    const block = fields('/healthz', 'GET', more)
    const pieces = [0, 1, 2, 3].map((n) => block.subarray(n * 16_384, (n + 1) * 16_384))
    await client.write(frame(HEADERS, END_STREAM, 1, pieces[0]))
    for (const piece of pieces.slice(1)) await client.write(frame(CONTINUATION, 0, 1, piece))
    await client.write(frame(CONTINUATION, END_HEADERS, 1, block.subarray(65_536)))
    await client.write(get(3))
    return client
  }

  test('is 431, and the connection lives', async () => {
    const session = connect(`http://127.0.0.1:${stand.port}`)
    ended.push(() => session.destroy())
    for (const [length, status] of [
      [17_000, 431],
      [1_000, 200],
    ] as const) {
      const stream = session.request({ ':path': '/healthz', x: 'y'.repeat(length) })
      const [headers] = await once(stream, 'response')
      expect(headers[':status']).toBe(status)
      stream.resume()
    }
  })

  test('of 3,000 headers is a reset of the stream alone', async () => {
    const client = await send(Array.from({ length: 3_000 }, () => ['x', '']))
    const cut = await client.first(({ stream }) => stream === 1)
    expect([cut?.type, cut?.payload.readUInt32BE()]).toEqual([
      RST_STREAM,
      constants.NGHTTP2_ENHANCE_YOUR_CALM,
    ])
    expect((await client.first(({ stream }) => stream === 3))?.payload[0]).toBe(OK)
  })

  test('of a field beyond 64 KiB is the end', async () => {
    const client = await send([['x', 'y'.repeat(70_000)]])
    expect(await client.goaway()).toBe(constants.NGHTTP2_COMPRESSION_ERROR)
  })
})

describe('streams', () => {
  test('of a client that heeds the bound are all served, 1,000 at once', async () => {
    const session = connect(`http://127.0.0.1:${stand.port}`)
    ended.push(() => session.destroy())
    await once(session, 'remoteSettings')
    const answers = Array.from({ length: 1_000 }, async () => {
      const stream = session.request({ ':path': '/healthz' })
      const [headers] = await once(stream, 'response')
      stream.resume()
      return headers[':status']
    })
    expect(new Set(await Promise.all(answers))).toEqual(new Set([200]))
    expect(session.remoteSettings.maxConcurrentStreams).toBe(STREAMS)
  })

  test('beyond the bound are refused one by one', async () => {
    const client = await dial()
    await client.write(many(1_000, (i) => post(nth(i))))
    const last = nth(999)
    await client.first(({ type, stream }) => type === RST_STREAM && stream === last)
    const refused = client.frames.filter(({ type }) => type === RST_STREAM)
    expect(refused.length).toBe(1_000 - STREAMS)
    for (const { payload } of refused) {
      expect(payload.readUInt32BE()).toBe(constants.NGHTTP2_REFUSED_STREAM)
    }
  })

  test('whose request drips are cut off (H10)', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const client = await dial()
    await client.write(Buffer.concat([post(1), frame(DATA, 0, 1, Buffer.from('{'))]))
    await client.write(frame(PING, 0, 0, Buffer.alloc(8)))
    await client.first(({ type }) => type === PING)
    await vi.advanceTimersByTimeAsync(29_000)
    expect(client.frames.some(({ stream }) => stream === 1)).toBe(false)
    await vi.advanceTimersByTimeAsync(1_000)
    const cut = await client.first(({ type }) => type === RST_STREAM)
    expect(cut?.stream).toBe(1)
  })
})

describe('a client that goes away leaves nothing behind', () => {
  const watchers = async (count: number) =>
    vi.waitUntil(() => stand.watchers === count, { timeout: 10_000, interval: 5 })
  const watch = frame(
    HEADERS,
    END_HEADERS,
    1,
    fields(WATCH, 'POST', [['content-type', 'application/connect+json']]),
  )
  const request = Buffer.concat([Buffer.from([0, 0, 0, 0, 2]), Buffer.from('{}')])
  const whole = Buffer.concat([watch, frame(DATA, END_STREAM, 1, request)])

  test.each<[string, (client: RawHttp2) => unknown]>([
    ['with a reset of its connection', (client) => client.reset()],
    ['with a reset of its stream', (client) => client.write(cancel(1))],
    ['with a protocol error', (client) => client.write(frame(DATA, 0, 99))],
  ])('%s', async (_name, leave) => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => dial()))
    for (const client of clients) await client.write(whole)
    await watchers(20)
    for (const client of clients) await leave(client)
    await watchers(0)
  })

  test('by HTTP/1.1 as well', async () => {
    const leaving = Array.from({ length: 20 }, () => new AbortController())
    const answers = leaving.map(({ signal }) =>
      fetch(`http://127.0.0.1:${stand.port}${WATCH}`, {
        method: 'POST',
        headers: { 'content-type': 'application/connect+json' },
        body: request,
        signal,
      }),
    )
    await Promise.all(answers)
    expect(stand.watchers).toBe(20)
    for (const one of leaving) one.abort()
    await watchers(0)
  })
})
