/** HTTP/2 without TLS where HTTP/1.1 and WebSocket are: the same answers, and an orderly end. */
import { once } from 'node:events'
import {
  type ClientHttp2Session,
  connect,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2'
import { connect as dial } from 'node:net'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { Connections } from '../../gateway/ingress/connections.ts'
import { healthRoutes } from '../../gateway/ingress/http/health.ts'
import type { Handler, Route } from '../../gateway/ingress/http/route.ts'
import { type HttpServer, serveHttp } from '../../gateway/ingress/http/server.ts'
import { Proxies } from '../../gateway/ingress/proxies.ts'
import { Refusal } from '../../gateway/protocol/codes.ts'
import { exchange } from '../support/raw-websocket.ts'

const ended: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end()
})

/** Answers with what came, once all of it is there. */
const echo: Handler = {
  owns: (path) => path.startsWith('/echo.'),
  handle(request, response) {
    const parts: Buffer[] = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => response.end(Buffer.concat(parts)))
  },
}

const failing: Route = {
  method: 'GET',
  path: /^\/fails$/,
  answer: () => Promise.reject(new Error('secret')),
}

type Served = HttpServer & { readonly port: number }

async function serve({ streams = 10, idleMs = 60_000, max = 100 } = {}): Promise<Served> {
  const server = await serveHttp({
    listeners: [{ listen: { host: '127.0.0.1', port: 0 }, section: 'http' }],
    http2: { streams, idleMs },
    origins: [],
    connections: new Connections({ max, perAddress: max }, new Proxies([])),
    log: pino({ level: 'silent' }),
    routes: [...healthRoutes(() => Promise.resolve()), failing],
    handlers: [echo],
    upgrade: () => {
      throw new Refusal(0, 'no')
    },
  })
  ended.push(() => server.close())
  return { ...server, port: server.endpoints[0]?.port as number }
}

function open({ port }: Served): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => undefined)
  ended.push(() => session.destroy())
  return session
}

function closed(one: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => one.once('close', resolve))
}

type Answer = IncomingHttpHeaders & IncomingHttpStatusHeader & { body: string }

async function ask(
  session: ClientHttp2Session,
  path: string,
  { method = 'GET', body = undefined as string | undefined } = {},
): Promise<Answer> {
  const stream = session.request({ ':path': path, ':method': method })
  if (body !== undefined) stream.end(body)
  const [headers] = await once(stream, 'response')
  let text = ''
  for await (const part of stream.setEncoding('utf8')) text += part
  return { ...headers, body: text }
}

test('routes, handlers and refusals answer as they do over HTTP/1.1', async () => {
  const server = await serve()
  const session = open(server)
  expect(await ask(session, '/healthz')).toMatchObject({ ':status': 200, body: 'ok\n' })
  expect(await ask(session, '/readyz?x=1')).toMatchObject({ ':status': 200, body: 'ok\n' })
  expect(await ask(session, '/healthz', { method: 'HEAD' })).toMatchObject({ body: '' })
  const wrong = await ask(session, '/healthz', { method: 'POST', body: 'x' })
  expect(wrong).toMatchObject({ ':status': 405, allow: 'GET, HEAD' })
  const unknown = await ask(session, '/acme/boiler')
  expect(unknown).toMatchObject({ ':status': 404, 'content-type': 'application/problem+json' })
  const failed = await ask(session, '/fails')
  expect(JSON.parse(failed.body)).toMatchObject({ status: 500, code: 'INTERNAL' })
  expect(failed.body).not.toContain('secret')
  const post = { method: 'POST', body: 'x'.repeat(300_000) }
  const path = '/echo.v1.Echo/Say'
  expect((await ask(session, path, post)).body).toBe(post.body)
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, post)
  expect(await answer.text()).toBe(post.body)
})

test('a preface that comes byte by byte is HTTP/2, and a method like it is not', async () => {
  const { port } = await serve()
  const socket = dial({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  for (const byte of 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n') {
    await new Promise((written) => socket.write(byte, written))
  }
  // A SETTINGS frame is the first that a server sends: its type is the fourth byte.
  const [bytes] = await once(socket, 'data')
  expect(bytes[3]).toBe(4)
  socket.destroy()
  const propfind = 'PROPFIND /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
  expect(await exchange(port, propfind)).toMatch(/^HTTP\/1.1 405 /)
})

test.each([
  ['of text', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['in binary', Buffer.from('0d0a0d0a000d0a515549540a2111000cc0000201c000020200010002', 'hex')],
])('a PROXY header %s closes the connection (H15)', async (_name, bytes) => {
  const { port } = await serve()
  expect(await exchange(port, bytes)).toMatch(/^HTTP\/1.1 400 /)
})

test('a client that ends its side is answered, or let go where it said nothing', async () => {
  const { port } = await serve()
  for (const [bytes, answer] of [
    ['GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1.1 200 /],
    ['GE', /^(HTTP\/1.1 400 .*)?$/s],
    ['', /^$/],
  ] as const) {
    const socket = dial({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.end(bytes)
    let text = ''
    for await (const part of socket.setEncoding('utf8')) text += part
    expect(text).toMatch(answer)
  }
})

test('the end is told by GOAWAY, and waits for what is open', async () => {
  const server = await serve()
  const session = open(server)
  const stream = session.request({ ':path': '/echo.v1.Echo/Say', ':method': 'POST' })
  stream.write('a')
  await ask(session, '/healthz')
  const told = once(session, 'goaway')
  server.stopListening()
  expect((await told)[0]).toBe(constants.NGHTTP2_NO_ERROR)
  stream.end('b')
  let text = ''
  for await (const part of stream.setEncoding('utf8')) text += part
  expect(text).toBe('ab')
  if (!session.destroyed) await closed(session)
  await server.close()
})

test('close ends what is open, and what has not begun', async () => {
  const server = await serve()
  const session = open(server)
  session.request({ ':path': '/echo.v1.Echo/Say', ':method': 'POST' }).on('error', () => undefined)
  await ask(session, '/healthz')
  const silent = dial(server.port, '127.0.0.1').on('error', () => undefined)
  await once(silent, 'connect')
  const both = [closed(session), closed(silent)]
  await server.close()
  await Promise.all(both)
})

test('a connection without a request is closed, one with a request is not', async () => {
  const server = await serve({ idleMs: 50 })
  const busy = open(server)
  const stream = busy.request({ ':path': '/echo.v1.Echo/Say', ':method': 'POST' })
  stream.write('a')
  const idle = open(server)
  await closed(idle)
  stream.end('b')
  let text = ''
  for await (const part of stream.setEncoding('utf8')) text += part
  expect(text).toBe('ab')
})

test('connections of HTTP/2 count like any', async () => {
  const server = await serve({ max: 1 })
  const sessions = Array.from({ length: 66 }, () => open(server))
  const gone = await Promise.race(sessions.map((one) => closed(one).then(() => one)))
  expect(gone.destroyed).toBe(true)
})
