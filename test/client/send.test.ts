import { Code } from '@porthouse/proto/v1/code'
import type { Envelope } from '@porthouse/proto/v1/envelope'
import { ReceiptLevel, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Client, connect, PorthouseError } from '../../clients/ts/src/index.ts'
import { joined, type Line, limits, Peer, receipt, uuid } from '../support/peer.ts'

let peer: Peer
let line: Line
let client: Client
beforeEach(async () => {
  peer = await Peer.start()
  const connecting = connect(peer.url, { token: 'secret', queueBytes: 5000 })
  line = await peer.line()
  await line.welcome()
  client = await connecting
})
afterEach(async () => {
  await client.close()
  await peer.stop()
})

async function join(address: string) {
  const joining = client.join(address)
  const { id } = await line.frame('room')
  line.send(joined(id, address, { route: 5 }))
  return await joining
}

test('sends of one turn are one packet, and each gets its own receipt', async () => {
  const room = await join('room:acme/boiler')
  const sends = ['a', 'b', 'c'].map((text) => room.send(text))
  const frames = await line.packet()
  expect(frames.map(({ body }) => (body.value as Envelope).content.value)).toEqual(['a', 'b', 'c'])
  line.send(...frames.map(({ id }, index) => receipt(id, { status: 2, sockets: index })))
  const receipts = await Promise.all(sends)
  expect(receipts.map(({ status, sockets }) => [status, sockets])).toEqual([
    ['ROUTED', 0],
    ['ROUTED', 1],
    ['ROUTED', 2],
  ])
  expect(receipts[0]).toMatchObject({ epoch: 1n, sequence: BigInt(frames[0]!.id), rejections: [] })
  expect(receipts[0]!.id).toMatch(/^00000000-0000-0000-0000-0000000000/)
})

test('an envelope says all that was asked for', async () => {
  const room = await join('room:acme/boiler')
  const sending = room.send(Uint8Array.of(1, 2), {
    level: 'stored',
    channel: 'temp',
    idempotencyKey: 'key',
    headers: { traceparent: '00-…' },
    contentType: 'application/cbor',
    replyTo: 'socket:x',
    correlationId: 'é',
    expiresAfter: 59.5,
  })
  const { id, value } = await line.frame('envelope')
  expect(value).toMatchObject({
    routing: {
      route: 5,
      channel: 'temp',
      to: [],
      receipt: ReceiptLevel.STORED,
      idempotencyKey: 'key',
    },
    content: { case: 'payload', value: Uint8Array.of(1, 2) },
    headers: { traceparent: '00-…' },
    contentType: 'application/cbor',
    replyTo: 'socket:x',
    correlationId: new TextEncoder().encode('é'),
    expiresAfter: 60,
    quality: 0,
  })
  expect(value.stamp).toBeUndefined()
  line.send(receipt(id, { status: ReceiptStatus.STORED }))
  expect((await sending).status).toBe('STORED')
})

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32])(
  'an expiry of %d seconds is none, and nothing is sent',
  async (expiresAfter) => {
    const room = await join('room:acme/boiler')
    await expect(room.send('a', { expiresAfter })).rejects.toThrow(RangeError)
    const sending = room.send('b')
    const { id, value } = await line.frame('envelope')
    expect(value.content.value).toBe('b')
    expect(value.expiresAfter).toBe(0)
    line.send(receipt(id))
    await sending
  },
)

test('a room joined by one channel sends there, one joined by a filter to the room', async () => {
  const channel = await join('room:acme/boiler/temp')
  const filter = await join('room:acme/boiler/**')
  void channel.send('a').catch(() => {})
  expect((await line.frame('envelope')).value.routing).toMatchObject({ channel: 'temp' })
  void filter.send('b').catch(() => {})
  expect((await line.frame('envelope')).value.routing).toMatchObject({ route: 5, channel: '' })
})

test('one or several addresses, with what each refused', async () => {
  const sending = client.send(['acme/boiler', 'client:acme/bob'], 'hi')
  const { id, value } = await line.frame('envelope')
  expect(value.routing).toMatchObject({ route: 0, to: ['room:acme/boiler', 'client:acme/bob'] })
  const rejection = { address: 'client:acme/bob', code: Code.SEND_NOT_PERMITTED, detail: 'no' }
  line.send(receipt(id, { status: ReceiptStatus.ROUTED, sockets: 2, rejections: [rejection] }))
  expect(await sending).toMatchObject({
    status: 'ROUTED',
    rejections: [{ address: 'client:acme/bob', code: 'SEND_NOT_PERMITTED', detail: 'no' }],
  })
})

test('duplicate and void are receipts, rejected is an error with one', async () => {
  const sends = ['a', 'b', 'c'].map((text) => client.send('acme/boiler', text))
  const [a, b, c] = await line.packet()
  line.send(
    receipt(a!.id, { status: ReceiptStatus.DUPLICATE, id: uuid(99), sequence: 4n }),
    receipt(b!.id, { status: ReceiptStatus.VOID, sequence: 0n }),
    receipt(c!.id, {
      status: ReceiptStatus.REJECTED,
      code: Code.SEND_NOT_PERMITTED,
      id: new Uint8Array(),
    }),
  )
  expect(await sends[0]).toMatchObject({
    status: 'DUPLICATE',
    id: '00000000-0000-0000-0000-000000000063',
    sequence: 4n,
  })
  const nobody = await sends[1]
  expect(nobody).toMatchObject({ status: 'VOID', sockets: 0 })
  expect(nobody).not.toHaveProperty('sequence')
  const error = await sends[2]!.catch((error: unknown) => error)
  expect(error).toBeInstanceOf(PorthouseError)
  expect(error).toMatchObject({
    code: 'SEND_NOT_PERMITTED',
    temporary: false,
    receipt: { status: 'REJECTED', code: 'SEND_NOT_PERMITTED' },
  })
})

test('at level none it is done once in the socket; a refusal comes as an event', async () => {
  const refused = new Promise<PorthouseError>((resolve) => client.on('rejected', resolve))
  expect(await client.send('acme/boiler', 'x', { level: 'none' })).toBeUndefined()
  const { id, value } = await line.frame('envelope')
  expect(id).toBe(0)
  expect(value.routing).toMatchObject({ receipt: 0, idempotencyKey: '' })
  line.send(receipt(0, { status: ReceiptStatus.REJECTED, code: Code.ROOM_UNKNOWN }))
  expect(await refused).toMatchObject({ code: 'ROOM_UNKNOWN' })
})

test('what waits for receipts is bounded in bytes, and room is made by each answer', async () => {
  const first = client.send('acme/boiler', 'x'.repeat(4000))
  await expect(client.send('acme/boiler', 'y'.repeat(1000))).rejects.toMatchObject({
    code: 'QUEUE_FULL',
    temporary: true,
  })
  await line.receipts()
  await first
  const second = client.send('acme/boiler', 'y'.repeat(1000))
  await line.receipts()
  expect((await second).status).toBe('ROUTED')
})

test('what the gateway would end the connection for is refused here', async () => {
  const big = await connectWithRoom()
  const too = (content: string | Uint8Array, options = {}) =>
    big.send('acme/boiler', content, options)
  await expect(too('x'.repeat(limits.payloadBytes + 1))).rejects.toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
  })
  await expect(too('é'.repeat(limits.payloadBytes / 2 + 1))).rejects.toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
  })
  await expect(too('x', { headers: { a: 'x'.repeat(limits.headersBytes) } })).rejects.toMatchObject(
    { code: 'HEADERS_TOO_LARGE' },
  )
  await expect(too('x', { contentType: 'x'.repeat(limits.frameBytes) })).rejects.toMatchObject({
    code: 'FRAME_TOO_LARGE',
  })
  await expect(big.send(Array(65).fill('acme/boiler'), 'x')).rejects.toMatchObject({
    code: 'TOO_MANY_DESTINATIONS',
  })
  await expect(too('\ud800')).rejects.toMatchObject({ code: 'INVALID_UTF8' })
  await big.close()
})

async function connectWithRoom() {
  const connecting = connect(peer.url)
  await (await peer.line()).welcome()
  return await connecting
}

test('a turn with more than a packet may hold goes out as several', async () => {
  const big = connect(peer.url)
  const other = await peer.line()
  await other.welcome()
  const sender = await big
  const sends = Array.from({ length: 5 }, () =>
    sender.send('acme/boiler', new Uint8Array(limits.payloadBytes)),
  )
  const counts = []
  for (let seen = 0; seen < 5; ) {
    const frames = await other.receipts()
    seen += frames.length
    counts.push(frames.length)
  }
  expect(counts).toEqual([3, 2])
  await Promise.all(sends)
  await sender.close()
})

test('texts are measured in bytes of UTF-8', async () => {
  const big = await connectWithRoom()
  for (const letter of ['a', 'é', '€', '😀']) {
    const bytes = new TextEncoder().encode(letter).length
    const fits = letter.repeat(limits.payloadBytes / bytes)
    const most = big.send('acme/boiler', fits, { level: 'none' })
    await expect(most).resolves.toBeUndefined()
    await expect(big.send('acme/boiler', `${fits}${letter}`)).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
    })
  }
  await big.close()
})

test('the bytes sent are those of the call, whatever becomes of the array', async () => {
  const bytes = Uint8Array.of(1, 2, 3)
  const sending = client.send('acme/boiler', bytes)
  bytes.fill(9)
  const { id, value } = await line.frame('envelope')
  expect(value.content.value).toEqual(Uint8Array.of(1, 2, 3))
  line.send(receipt(id))
  await sending
})

test('a signal stops the wait; what comes late is ignored', async () => {
  const abort = new AbortController()
  const sending = client.send('acme/boiler', 'x', { signal: abort.signal })
  const { id } = await line.frame('envelope')
  abort.abort(new Error('enough'))
  await expect(sending).rejects.toThrow('enough')
  line.send(receipt(id))
  const next = client.send('acme/boiler', 'y')
  await line.receipts()
  expect((await next).status).toBe('ROUTED')
})
