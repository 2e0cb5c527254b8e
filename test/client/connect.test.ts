import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Code } from '@porthouse/proto/v1/code'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connect } from '../../clients/ts/src/index.ts'
import { drop, joined, limits, ManualClock, Peer, verdict } from '../support/peer.ts'

let peer: Peer
beforeEach(async () => {
  peer = await Peer.start()
})
afterEach(() => peer.stop())

describe('connecting', () => {
  test('is one packet each way: hello and the token, welcome and the verdict', async () => {
    const connecting = connect(peer.url, { token: 'secret', agent: 'test/1' })
    const line = await peer.line()
    const [hello, step] = await line.welcome()
    await using client = await connecting
    expect(line.path).toBe('/v1/ws')
    expect(hello?.body).toMatchObject({ case: 'hello', value: { agent: 'test/1' } })
    expect(step?.body.value).toMatchObject({
      lock: '',
      step: { case: 'answer', value: { acceptor: 'token', response: { value: 'secret' } } },
    })
    expect(client.socket).toBe('socket:aaaaaaaaaaaaaaaa')
    expect(client.entered).toBeUndefined()
  })

  test('without a token it is done on welcome', async () => {
    const connecting = connect(peer.url)
    const frames = await (await peer.line()).welcome()
    await using client = await connecting
    expect(frames.map(({ body }) => body.case)).toEqual(['hello'])
    expect(client.socket).not.toBe('')
  })

  test('by the path of a room it waits for that room', async () => {
    const connecting = connect(`${peer.url}/demo/hello`, { token: 'secret' })
    const line = await peer.line()
    expect(line.path).toBe('/demo/hello')
    line.send(joined(0, 'room:demo/hello'))
    await line.welcome()
    await using client = await connecting
    expect(client.entered?.address).toBe('room:demo/hello')
  })

  test.each([
    [Code.UNAUTHENTICATED, 'UNAUTHENTICATED', 2],
    [Code.TOKEN_EXPIRED, 'TOKEN_EXPIRED', 3],
  ] as const)('a verdict against the token rejects with its code', async (code, name, outcome) => {
    const connecting = connect(peer.url, { token: 'wrong' })
    const line = await peer.line()
    const [hello, step] = await line.packet()
    line.send({ id: hello!.id, body: { case: 'welcome', value: { limits } } })
    line.send(verdict(step!.id, outcome, code))
    await expect(connecting).rejects.toMatchObject({ code: name, temporary: false })
    await line.closed
  })

  test('a lock that was not answered rejects', async () => {
    const connecting = connect(`${peer.url}/demo/hello`)
    const line = await peer.line()
    line.send({
      body: {
        case: 'lockStep',
        value: {
          lock: 'lock:aaaaaaaaaaaaaaaa',
          step: { case: 'challenge', value: { acceptor: 'token', place: 'room:demo/hello' } },
        },
      },
    })
    await expect(connecting).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  test('a drop rejects with its code and when to try again', async () => {
    const connecting = connect(peer.url)
    const line = await peer.line()
    line.send(drop(0, Code.RATE_LIMITED, 5000))
    line.close(4070)
    await expect(connecting).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      temporary: true,
      retryAfterMs: 5000,
    })
  })

  test('a gateway that never answers is given up', async () => {
    const clock = new ManualClock()
    const connecting = connect(peer.url, { clock, timeoutMs: 3000 })
    const line = await peer.line()
    await line.packet()
    clock.advance(3000)
    await expect(connecting).rejects.toMatchObject({ code: 'UNAVAILABLE', temporary: true })
    await line.closed
    expect(clock.pending).toBe(0)
  })

  test('nobody there is told as it is, once', async () => {
    const { url } = peer
    await peer.stop()
    await expect(connect(url)).rejects.toMatchObject({ code: 'UNAVAILABLE', temporary: true })
    peer = await Peer.start()
  })

  test.each(['', 'nonsense', 'ftp://127.0.0.1', 'ws://127.0.0.1:1/#fragment'])(
    'a URL such as %j is refused',
    async (url) => {
      await expect(connect(url)).rejects.toMatchObject({ code: 'ADDRESS_INVALID' })
    },
  )

  test('a signal gives up connecting with its reason', async () => {
    const reason = new Error('enough')
    await expect(connect(peer.url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const abort = new AbortController()
    const connecting = connect(peer.url, { signal: abort.signal })
    const line = await peer.line()
    await line.packet()
    abort.abort(reason)
    await expect(connecting).rejects.toBe(reason)
    await line.closed
  })

  test('closing leaves no timer, ends loops and rejects what waits', async () => {
    const clock = new ManualClock()
    const connecting = connect(peer.url, { clock })
    const line = await peer.line()
    await line.welcome({ heartbeatMs: 5000 })
    const client = await connecting
    const events: object[] = []
    client.on('closed', (event) => events.push(event))
    const next = client.messages().next()
    const sending = client.send('room:demo/hello', 'x')
    const closing = client.close()
    await expect(sending).rejects.toMatchObject({ code: 'CLOSED' })
    expect(await line.closed).toBe(1000)
    await closing
    expect(await next).toEqual({ done: true, value: undefined })
    await expect(client.join('demo/hello')).rejects.toMatchObject({ code: 'CLOSED' })
    expect(events).toEqual([{}])
    // Who asks too late to hear it is told as well.
    expect(await new Promise((resolve) => client.on('closed', resolve))).toEqual({})
    expect(clock.pending).toBe(0)
    await client.close()
  })
})

test.each([
  [403, '{"code":"ORIGIN_NOT_ALLOWED"}', 'ORIGIN_NOT_ALLOWED', false],
  [429, '{"code":"CONNECTION_LIMIT"}', 'CONNECTION_LIMIT', true],
  [404, '<html>', 'HANDSHAKE_INVALID', false],
  [400, 'x'.repeat(100_000), 'HANDSHAKE_INVALID', false],
  [400, '{"code":"toString"}', 'HANDSHAKE_INVALID', false],
  [502, '', 'UNAVAILABLE', true],
])('an upgrade refused with %i is told as what it is', async (status, body, code, temporary) => {
  const server = createServer().on('upgrade', (_, socket) => {
    socket.on('error', () => {})
    const head = `HTTP/1.1 ${status} No\r\nContent-Length: ${body.length}\r\n\r\n`
    socket.end(head + body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await expect(connect(`ws://127.0.0.1:${port}`)).rejects.toMatchObject({ code, temporary })
  server.close()
})

test('a gateway that speaks another subprotocol is refused', async () => {
  const other = await Peer.start('porthouse.v1.json')
  // The platform's WebSocket refuses a subprotocol that was not offered before the client sees it.
  await expect(connect(other.url)).rejects.toMatchObject({ name: 'PorthouseError' })
  await other.stop()
})
