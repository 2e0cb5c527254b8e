/** POST /v1/messages: what is taken, what is answered, and what is refused as a whole (R6). */
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import { ReceiptSchema, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SocketGuest } from '../mqtt/equality/socket-guest.ts'
import { guardedBy } from '../support/access.ts'
import { TestGateway } from '../support/gateway.ts'
import { block, DURABLE } from '../support/past.ts'
import { type Posted, type PostOptions, post } from '../support/posting.ts'
import { exchange, resetRawWebSockets } from '../support/raw-websocket.ts'

const HALL = 'room:acme/hall'

let gateway: TestGateway
let secret: string

beforeAll(async () => {
  gateway = await TestGateway.start({
    limits: { packetBytes: 65_536, frameBytes: 32_768, payloadBytes: 16_384 },
  })
  await gateway.room('acme/hall')
  await gateway.room('acme/empty')
  await gateway.room('acme/ledger', [DURABLE])
  await gateway.room('acme/locked', [guardedBy('password')])
  await gateway.room('acme/news', [block('channels', { allowed: ['news'], only: true })])
  const rooms = ['hall', 'empty', 'ledger', 'locked', 'news']
  secret = await gateway.token('acme', rooms)
})
afterEach(resetRawWebSockets)
afterAll(() => gateway?.stop())

function say(body: unknown, options: Partial<PostOptions> = {}): Promise<Posted> {
  return post(gateway, body as never, { key: secret, ...options })
}

async function hears(room: string): Promise<SocketGuest> {
  const guest = await SocketGuest.comes(gateway.port, 'json', secret)
  await guest.enters(room)
  return guest
}

function envelope(content: string, to = [HALL]): Uint8Array<ArrayBuffer> {
  const value = { routing: { to }, content: { case: 'text', value: content } } as const
  return new Uint8Array(toBinary(EnvelopeSchema, create(EnvelopeSchema, value)))
}

describe('a message', () => {
  test('of text is routed, and its receipt tells so', async () => {
    const guest = await hears('acme/hall')
    const { status, headers, receipt } = await say({ to: [HALL], text: 'hello' })
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(headers.get('cache-control')).toBe('no-store')
    expect(receipt).toMatchObject({ status: ReceiptStatus.ROUTED, sockets: 1 })
    const heard = await guest.hears()
    expect(heard).toMatchObject({ text: true, id: Buffer.from(receipt.id).toString('hex') })
    expect([heard.bytes.toString(), heard.sequence]).toEqual(['hello', Number(receipt.sequence)])
  })

  test('has all that a message over a socket may have', async () => {
    const guest = await hears('acme/hall')
    await say({
      to: [`${HALL}/news`],
      payload: Buffer.from([0, 255]).toString('base64'),
      contentType: 'application/octet-stream',
      headers: { a: 'b' },
      replyTo: 'client:acme/ann',
      correlationId: Buffer.from('q1').toString('base64'),
      expiresAfter: 60,
    })
    expect(await guest.hears()).toMatchObject({
      channel: 'news',
      bytes: Buffer.from([0, 255]),
      text: false,
      contentType: 'application/octet-stream',
      replyTo: 'client:acme/ann',
      correlation: Buffer.from('q1').toString('hex'),
      headers: [['a', 'b']],
      expiresAfter: 60,
    })
  })

  test.each([null, 1, 'text', [1, { a: [] }], { b: true }])('of JSON: %j', async (json) => {
    const guest = await hears('acme/hall')
    await say({ to: [HALL], json })
    const { bytes, contentType, text } = await guest.hears()
    expect([bytes.toString(), contentType, text]).toEqual([
      JSON.stringify(json),
      'application/json',
      true,
    ])
    await say({ to: [HALL], json, contentType: 'application/ld+json' })
    expect((await guest.hears()).contentType).toBe('application/ld+json')
  })

  test.each(['application/protobuf', 'application/x-protobuf'])(
    'as an Envelope, %s',
    async (type) => {
      const guest = await hears('acme/hall')
      const answer = await say(envelope('raw'), { headers: { 'content-type': type } })
      expect(answer.headers.get('content-type')).toBe('application/protobuf')
      const receipt = fromBinary(ReceiptSchema, answer.bytes)
      expect(receipt).toMatchObject({ status: ReceiptStatus.ROUTED, sockets: 1 })
      expect((await guest.hears()).bytes.toString()).toBe('raw')
    },
  )

  test('without a content is empty, and where nobody hears it, void', async () => {
    const { receipt } = await say({ to: ['room:acme/empty'] })
    expect(receipt).toMatchObject({ status: ReceiptStatus.VOID, sockets: 0 })
  })

  test.each([
    ['RECEIPT_LEVEL_ACCEPTED', ReceiptStatus.ACCEPTED],
    ['RECEIPT_LEVEL_ROUTED', ReceiptStatus.STORED],
    ['RECEIPT_LEVEL_STORED', ReceiptStatus.STORED],
    [undefined, ReceiptStatus.STORED],
  ])('in a durable room, with receipt %s', async (level, status) => {
    const { receipt } = await say({ to: ['room:acme/ledger'], text: 'x', receipt: level })
    expect(receipt.status).toBe(status)
  })

  test('for several rooms is answered for by each', async () => {
    const { status, receipt } = await say({ to: [HALL, 'room:acme/none', 'nonsense'], text: 'x' })
    expect([status, receipt.status]).toEqual([200, ReceiptStatus.VOID])
    expect(receipt.rejections.map(({ address }) => address)).toEqual(['room:acme/none', 'nonsense'])
  })

  test('passes the trace on', async () => {
    const guest = await hears('acme/hall')
    const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`
    const headers = { traceparent, tracestate: 'v=1' }
    const told = [
      ['traceparent', traceparent],
      ['tracestate', 'v=1'],
    ]
    await say({ to: [HALL], text: 'x' }, { headers })
    expect((await guest.hears()).headers).toEqual(told)
    const type = { 'content-type': 'application/protobuf' }
    await say(envelope('x'), { headers: { ...headers, ...type } })
    expect((await guest.hears()).headers).toEqual(told)
    // What the message says itself is not overruled, and what is no trace is nothing.
    await say({ to: [HALL], headers: { traceparent: 'mine' } }, { headers: { traceparent } })
    expect((await guest.hears()).headers).toEqual([['traceparent', 'mine']])
    await say({ to: [HALL] }, { headers: { traceparent: `00-${'0'.repeat(32)}-x-01` } })
    expect((await guest.hears()).headers).toEqual([])
  })
})

describe('an idempotency key', () => {
  const keyed = (key: string, text: string, headers = {}) =>
    say({ to: ['room:acme/ledger'], text }, { headers: { 'idempotency-key': key, ...headers } })

  test.each(['"8e03978e-40d5"', 'bare-key', '"with \\" and \\\\"'])('%s', async (key) => {
    const first = await keyed(key, 'once')
    expect(first.receipt.status).toBe(ReceiptStatus.STORED)
    const again = await keyed(key, 'once')
    expect(again).toMatchObject({ status: 200, receipt: { status: ReceiptStatus.DUPLICATE } })
    expect(again.receipt).toMatchObject({ id: first.receipt.id, sequence: first.receipt.sequence })
    const other = await keyed(key, 'another')
    expect(other).toMatchObject({ status: 409, problem: { code: 'KEY_REUSED' } })
  })

  test('counts although each try has a trace of its own', async () => {
    const trace = (span: string) => ({ traceparent: `00-${'ab'.repeat(16)}-${span.repeat(8)}-01` })
    await keyed('"traced"', 'once', trace('01'))
    const again = await keyed('"traced"', 'once', trace('02'))
    expect(again.receipt.status).toBe(ReceiptStatus.DUPLICATE)
  })

  test('is the same in the body, and over a socket', async () => {
    const body = { to: ['room:acme/ledger'], text: 'x', idempotencyKey: 'body' }
    expect((await say(body)).receipt.status).toBe(ReceiptStatus.STORED)
    const again = await say(body, { headers: { 'idempotency-key': '"body"' } })
    expect(again.receipt.status).toBe(ReceiptStatus.DUPLICATE)
    const other = await say(body, { headers: { 'idempotency-key': '"other"' } })
    expect(other).toMatchObject({ status: 400, problem: { code: 'ARGUMENT_INVALID' } })
    const guest = await SocketGuest.comes(gateway.port, 'json', secret)
    const { status } = await guest.says('acme/ledger', { content: 'x', key: 'body' })
    expect(status).toBe(ReceiptStatus.DUPLICATE)
  })

  test.each(['""', '"open', 'a b', '"\u00e9"', 'x'.repeat(129)])('%j is none', async (key) => {
    expect((await keyed(key, 'x')).status).toBe(400)
  })
})

describe('as a whole it is refused', () => {
  test.each([
    ['a room that is not there', ['room:acme/none'], 404, 'ROOM_UNKNOWN'],
    ['no address', ['nonsense'], 400, 'ADDRESS_INVALID'],
    ['a locked room', ['room:acme/locked'], 403, 'ENTRY_NOT_PERMITTED'],
    ['a channel that is not there', ['room:acme/news/gossip'], 404, 'CHANNEL_UNKNOWN'],
    ['two that are not there', ['room:acme/none', 'room:acme/neither'], 404, 'ROOM_UNKNOWN'],
  ])('for %s', async (_what, to, status, code) => {
    const { status: told, headers, problem } = await say({ to, text: 'x' })
    expect([told, headers.get('content-type')]).toEqual([status, 'application/problem+json'])
    expect(problem).toMatchObject({ status, code, title: expect.any(String) })
  })

  test('where a receipt is asked for that the room cannot give', async () => {
    const answer = await say({ to: [HALL], receipt: 'RECEIPT_LEVEL_STORED' })
    expect(answer).toMatchObject({ status: 409, problem: { code: 'NO_HISTORY' } })
  })

  test('for every field that is wrong', async () => {
    const { status, problem } = await say({
      to: 'room:acme/hall',
      text: 5,
      colour: 'red',
      receipt: 'RECEIPT_LEVEL_SURE',
      expiresAfter: -1,
    })
    expect([status, problem.code]).toEqual([400, 'ARGUMENT_INVALID'])
    const violations = problem.violations as { field: string }[]
    const fields = ['colour', 'expiresAfter', 'receipt', 'text', 'to']
    expect(violations.map(({ field }) => field).sort()).toEqual(fields)
  })

  test.each([
    ['no destination', { text: 'x' }, 'to'],
    ['two contents', { to: [HALL], text: 'x', payload: 'eA==' }, 'payload'],
    ['JSON beside text', { to: [HALL], text: 'x', json: 1 }, 'json'],
    ['a number beyond numbers', '{"to":["room:acme/hall"],"json":1e999}', 'json'],
    ['deep JSON', `{"to":["${HALL}"],"json":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 'json'],
    ['a list', [], 'body'],
    ['no JSON', '{"to":', 'body'],
    ['nothing', '', 'body'],
  ])('for %s', async (_what, body, field) => {
    const { status, problem } = await say(body)
    expect([status, problem.code]).toEqual([400, 'ARGUMENT_INVALID'])
    expect(problem.violations).toMatchObject([{ field }])
  })

  test.each([
    ['text that is not UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 'INVALID_UTF8', 400],
    [
      'a content over its bound',
      { to: [HALL], text: 'x'.repeat(32_768) },
      'PAYLOAD_TOO_LARGE',
      413,
    ],
    ['a body over its bound', { to: [HALL], text: 'x'.repeat(65_536) }, 'PACKET_TOO_LARGE', 413],
    ['too many destinations', { to: Array(65).fill(HALL) }, 'TOO_MANY_DESTINATIONS', 400],
    ['a long name', { to: [HALL], replyTo: 'x'.repeat(513) }, 'NAME_TOO_LONG', 400],
    [
      'headers over their bound',
      { to: [HALL], headers: { a: 'x'.repeat(9_000) } },
      'HEADERS_TOO_LARGE',
      431,
    ],
  ])('for %s', async (_what, body, code, status) => {
    expect(await say(body)).toMatchObject({ status, problem: { code } })
  })

  test.each([
    ['cut short', envelope('x').slice(0, 9), 'MALFORMED_PACKET'],
    ['with a stamp', new Uint8Array([0x12, 0x00]), 'RESERVED_FIELD'],
    ['with a route', new Uint8Array([0x0a, 0x02, 0x08, 0x01]), 'ROUTE_UNKNOWN'],
    ['without a destination', new Uint8Array(), 'ARGUMENT_INVALID'],
  ])('for an Envelope %s', async (_what, body, code) => {
    const { problem } = await say(body, { headers: { 'content-type': 'application/protobuf' } })
    expect(problem.code).toBe(code)
  })

  test.each([
    ['no type', { 'content-type': '' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['text', { 'content-type': 'text/plain' }],
    ['another charset', { 'content-type': 'application/json; charset=latin1' }],
    ['gzip', { 'content-encoding': 'gzip' }],
  ])('for a body of %s', async (_what, headers) => {
    const {
      status,
      headers: told,
      problem,
    } = await say(new Uint8Array(gzipSync('{}')), { headers })
    expect([status, problem.code]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED'])
    const says = told.get('content-encoding') ?? told.get('accept') ?? told.get('accept-encoding')
    expect(says).toBeTruthy()
  })

  test.each([
    'application/json;charset=UTF-8',
    'Application/JSON',
    'application/json;\tcharset=utf-8',
  ])('and not for %j', async (type) => {
    const answer = await say({ to: [HALL] }, { headers: { 'content-type': type } })
    expect(answer.status).toBe(200)
  })

  test.each([
    ['application/json', 200, 'application/json'],
    ['application/protobuf', 200, 'application/protobuf'],
    ['application/x-protobuf;q=1, application/json;q=0.5', 200, 'application/protobuf'],
    ['text/html, application/*;q=0.8, */*;q=0.1', 200, 'application/json'],
    ['text/html', 406, 'application/problem+json'],
    ['application/json;q=0, application/x-protobuf;q=0', 406, 'application/problem+json'],
  ])('by Accept: %s', async (accept, status, type) => {
    const answer = await say({ to: [HALL] }, { headers: { accept } })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, type])
  })
})

describe('requests', () => {
  test.each([undefined, 'nonsense', 'pht_x', 'x'.repeat(9_000)])(
    'by %j are nobody',
    async (key) => {
      const answer = await say({ to: [HALL] }, { key })
      expect(answer).toMatchObject({ status: 401, problem: { code: 'UNAUTHENTICATED' } })
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    },
  )

  test('of another kind than POST are told which there is', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await say({}, { method })
      expect([status, headers.get('allow')]).toEqual([405, 'POST'])
    }
  })

  const head = (more: string) =>
    `POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secret}\r\n` +
    `Content-Type: application/json\r\n${more}\r\n`

  test('that declare too much are answered before it comes, and closed', async () => {
    const answer = await exchange(gateway.port, head('Content-Length: 1000000000\r\n'))
    expect(answer).toMatch(/^HTTP\/1.1 413 /)
  })

  test('without credentials are not read', async () => {
    const nobody = 'POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n'
    expect(await exchange(gateway.port, nobody)).toMatch(/^HTTP\/1.1 401 /)
  })

  test('that come in pieces are bounded as well', async () => {
    const piece = `8000\r\n${'x'.repeat(32_768)}\r\n`
    const answer = await exchange(
      gateway.port,
      `${head('Transfer-Encoding: chunked\r\n')}${piece.repeat(3)}`,
    )
    expect(answer).toMatch(/^HTTP\/1.1 413 /)
  })

  test('whose client goes in mid-body leave nothing', async () => {
    const guest = await hears('acme/hall')
    const text = JSON.stringify({ to: [HALL], text: 'half' })
    const socket = connect(gateway.port, '127.0.0.1')
    socket.on('error', () => undefined)
    const length = `Content-Length: ${text.length + 1}\r\n`
    await new Promise<void>((resolve) => {
      socket.write(`${head(length)}${text}`, () => resolve())
    })
    socket.resetAndDestroy()
    await say({ to: [HALL], text: 'whole' })
    expect(await guest.hearsText()).toBe('whole')
  })
})
