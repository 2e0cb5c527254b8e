/** Requests that are too much, or not what they say: C2, C3, C4 and C6. */
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { CHECK, MESSAGE_BYTES, openStand, type Stand } from './http-stand.ts'

let stand: Stand
const ended: (() => unknown)[] = []

beforeAll(async () => {
  stand = await openStand()
})
afterEach(async () => {
  for (const end of ended.splice(0)) end()
  expect(await stand.serves()).toBe(true)
})
afterAll(() => stand.close())

const JSON_TYPE = 'application/json'
const GIGABYTE = 1_000_000_000

function dial(): Socket {
  const socket = connect({ port: stand.port, host: '127.0.0.1' })
  socket.on('error', () => undefined)
  ended.push(() => socket.destroy())
  return socket
}

function head(path: string, headers: Record<string, string | number>, method = 'POST'): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\nHost: x\r\n${lines.join('')}\r\n`
}

/** Sends without end, until the peer has enough. */
function flood(socket: Socket, piece: Uint8Array | string): void {
  const send = () => {
    while (socket.writable && socket.write(piece));
  }
  socket.on('drain', send)
  send()
}

/** All that is answered until the gateway closes the connection, which it has to. */
async function answered(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('utf8').on('data', (part) => {
    text += part
  })
  await new Promise((resolve) => socket.once('close', resolve))
  return text
}

describe('a body that is too much closes the connection (C2)', () => {
  const block = Buffer.alloc(65_536, ' ')
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), block, Buffer.from('\r\n')])
  const declared = { 'Content-Type': JSON_TYPE, 'Content-Length': GIGABYTE }
  const chunked = { 'Content-Type': JSON_TYPE, 'Transfer-Encoding': 'chunked' }

  test.each<[string, string, Record<string, string | number>, Uint8Array | undefined, RegExp]>([
    ['declared, and never sent', CHECK, declared, undefined, /429 .*"resource_exhausted"/],
    ['declared, and sent', CHECK, declared, block, /429 .*"resource_exhausted"/],
    ['sent without a length', CHECK, chunked, chunk, /429 .*"resource_exhausted"/],
    ['for nobody', '/nowhere', declared, block, /404 .*"PATH_UNKNOWN"/],
    ['for who wants none', '/healthz', declared, undefined, /405 /],
    ['of another type', CHECK, { ...declared, 'Content-Type': 'text/plain' }, block, /415 /],
  ])('%s', async (_name, path, headers, piece, expected) => {
    const socket = dial()
    const answer = answered(socket)
    socket.write(head(path, headers))
    if (piece) flood(socket, piece)
    expect(await answer).toMatch(new RegExp(`^HTTP/1.1 ${expected.source}`, 's'))
  })

  test.each([JSON_TYPE, 'application/grpc+proto', 'application/grpc-web+proto'])(
    'or the stream, in HTTP/2 as %s',
    async (type) => {
      const session = connectHttp2(`http://127.0.0.1:${stand.port}`)
      ended.push(() => session.destroy())
      const headers = { ':path': CHECK, ':method': 'POST', 'content-type': type, te: 'trailers' }
      const stream = session.request(headers)
      stream.on('error', () => undefined)
      let text = ''
      stream.on('data', (part) => {
        text += part
      })
      stream.on('trailers', (trailers) => {
        text += JSON.stringify(trailers)
      })
      const prefix = Buffer.from([0, 0x3b, 0x9a, 0xca, 0])
      if (type !== JSON_TYPE) stream.write(prefix)
      const send = () => void (!stream.destroyed && stream.write(block, () => setImmediate(send)))
      send()
      await new Promise((resolve) => stream.once('close', resolve))
      expect(text).toMatch(/resource_exhausted|grpc-status"?: ?"?8/)
      expect(session.destroyed).toBe(false)
    },
  )

  test('a gzip bomb is not unpacked beyond the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(MESSAGE_BYTES * 500))
    const before = process.memoryUsage().arrayBuffers
    const answer = await fetch(`http://127.0.0.1:${stand.port}${CHECK}`, {
      method: 'POST',
      headers: { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' },
      body: bomb,
    })
    expect([answer.status, await answer.text()]).toEqual([
      429,
      expect.stringContaining('after decompression'),
    ])
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MESSAGE_BYTES * 250)
  })

  test('who sends what is right after a refusal goes on with the same connection', async () => {
    const socket = dial()
    const body = '{"service":1}'
    socket.write(head(CHECK, { 'Content-Type': JSON_TYPE, 'Content-Length': body.length }) + body)
    expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1.1 400 /)
    socket.write(head(CHECK, { 'Content-Type': JSON_TYPE, 'Content-Length': 2 }))
    socket.write('{}')
    expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1.1 200 /)
  })
})

async function call(headers: Record<string, string>, method = 'POST'): Promise<Response> {
  const body = method === 'POST' ? { body: '{}' } : {}
  return fetch(`http://127.0.0.1:${stand.port}${CHECK}`, { method, headers, ...body })
}

test.each([
  'text/plain',
  '',
  'application/xml',
  'application/grpc+thrift',
  'application/connect+x',
])('the content type %j is not understood (C3)', async (type) => {
  const answer = await call({ 'content-type': type })
  expect(answer.status).toBe(415)
})

test('a tab in a content type makes no other of it (C3)', async () => {
  const socket = dial()
  const answer = answered(socket)
  const headers = { 'Content-Type': 'application/json\ta', 'Content-Length': 2 }
  socket.write(`${head(CHECK, { ...headers, Connection: 'close' })}{}`)
  expect(await answer).toMatch(/^HTTP\/1.1 415 /)
})

test('a codec that nobody knows is refused (C3)', async () => {
  const answer = await call({ 'content-type': JSON_TYPE, 'content-encoding': 'rot13' })
  expect(answer.status).toBe(501)
  expect(await answer.json()).toMatchObject({ code: 'unimplemented' })
})

test.each(['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])(
  'the method %s is not for a call that changes something (C4)',
  async (method) => {
    const socket = dial()
    const answer = answered(socket)
    socket.write(head(CHECK, { 'Content-Type': JSON_TYPE, Connection: 'close' }, method))
    expect(await answer).toMatch(/^HTTP\/1.1 405 /)
  },
)

describe('a deadline (C6)', () => {
  const within = (text: string) => call({ 'content-type': JSON_TYPE, 'connect-timeout-ms': text })

  test.each([
    ['-1', 400, 'invalid_argument'],
    ['soon', 400, 'invalid_argument'],
    ['1e9', 400, 'invalid_argument'],
    ['99999999999', 400, 'invalid_argument'],
    ['1000000000', 400, 'invalid_argument'],
  ])('of %s ms is refused', async (text, status, code) => {
    const answer = await within(text)
    expect([answer.status, await answer.json()]).toEqual([
      status,
      expect.objectContaining({ code }),
    ])
  })

  test('that is short enough is kept', async () => {
    expect((await within('30000')).status).toBe(200)
    expect(stand.deadlineMs).toBeGreaterThan(0)
    expect(stand.deadlineMs).toBeLessThanOrEqual(30_000)
  })
})
