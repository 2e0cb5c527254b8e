/** Frames that a gateway may not send, one by one: left with the code of its fault, or ignored. */
import { Code } from '@porthouse/proto/v1/code'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Client, type ClientEvents, connect } from '../../../clients/ts/src/index.ts'
import { joined, type Line, message, Peer, receipt } from '../../support/peer.ts'

let peer: Peer
let line: Line
let client: Client
let closed: Promise<ClientEvents['closed']>
beforeEach(async () => {
  peer = await Peer.start()
  await open()
})
afterEach(async () => {
  await client.close()
  await peer.stop()
})

async function open() {
  const connecting = connect(peer.url, { token: 'secret', reconnect: false })
  line = await peer.line()
  await line.welcome()
  client = await connecting
  closed = new Promise((resolve) => client.on('closed', resolve))
}

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))

describe('a gateway that does not keep to the protocol is left with the code of its fault', () => {
  test.each([
    ['a truncated frame', '0a05', 'MALFORMED_PACKET'],
    ['a varint that does not end', '0affffffffffffffffffffff', 'MALFORMED_PACKET'],
    ['a group that does not end', '0b', 'MALFORMED_PACKET'],
    ['a thousand groups in each other', '13'.repeat(1000), 'MALFORMED_PACKET'],
    ['text that is no UTF-8', '0a0742051203ff', 'MALFORMED_PACKET'],
    ['an envelope without a stamp', '0a042a022a00', 'MALFORMED_PACKET'],
    ['a hello', '0a021200', 'FRAME_NOT_ALLOWED'],
    ['a join', '0a043a020a00', 'FRAME_NOT_ALLOWED'],
    ['an answer to a lock', '0a0422021a00', 'FRAME_NOT_ALLOWED'],
  ])('%s', async (_, hex, code) => {
    const sending = client.send('acme/boiler', 'x')
    await line.packet()
    const loop = client.messages().next()
    line.sendBytes(bytes(hex))
    expect((await closed).error).toMatchObject({ code, temporary: false })
    await expect(sending).rejects.toMatchObject({ code })
    await expect(loop).rejects.toMatchObject({ code })
    await line.closed
  })

  test('text where bytes are due', async () => {
    line.sendBytes('hello')
    expect((await closed).error).toMatchObject({ code: 'WRONG_DATA_TYPE' })
  })

  test('a packet beyond all measure', async () => {
    line.sendBytes(new Uint8Array(17 * 2 ** 20))
    expect((await closed).error).toMatchObject({ code: 'PACKET_TOO_LARGE' })
  })

  test('an answer of another kind than the question', async () => {
    const sending = client.send('acme/boiler', 'x')
    const { id } = await line.frame('envelope')
    line.send(joined(id, 'room:acme/boiler'))
    await expect(sending).rejects.toMatchObject({ code: 'FRAME_NOT_ALLOWED' })
  })
})

describe('what a later gateway may say does no harm', () => {
  test('an unknown frame is ignored, or answered where it asks', async () => {
    line.send({}, { id: 77 })
    const { id, value } = await line.frame('drop')
    expect([id, value.code]).toEqual([77, Code.UNIMPLEMENTED])
  })

  test('answers to nothing, messages of rooms that were left, unknown codes', async () => {
    const sending = client.send('acme/boiler', 'x')
    const { id } = await line.frame('envelope')
    line.send(
      receipt(12_345),
      message('who?', { route: 99 }),
      receipt(id, { status: 6, code: 9999 as Code }),
    )
    await expect(sending).rejects.toMatchObject({ code: 'UNKNOWN', temporary: false })
  })
})

describe('a gateway that says more than was asked', () => {
  test('has its page of history refused, and no more', async () => {
    const joining = client.join('acme/boiler')
    const { id } = await line.frame('room')
    line.send(joined(id, 'room:acme/boiler'))
    const room = await joining
    const heard = room.messages().next()
    const fetching = room.fetch({ limit: 2 })
    const fetch = await line.frame('room')
    const many = Array.from({ length: 1000 }, () => ({ ...message('old'), id: fetch.id }))
    line.send(...many)
    line.send({ ...message('old'), id: fetch.id }, { ...message('lost'), id: 4711 })
    await expect(fetching).rejects.toMatchObject({ code: 'FRAME_NOT_ALLOWED' })
    line.send(message('live'))
    expect((await heard).value).toMatchObject({ text: 'live' })
  })

  test('and catches up those who asked for nothing does no harm', async () => {
    const caughtUp = { address: 'room:acme/nowhere', sequence: 99n }
    const cursor = { address: 'room:acme/nowhere' }
    const presence = { route: 99, count: 4_000_000_000 }
    for (const action of [
      { case: 'caughtUp', value: caughtUp },
      { case: 'cursor', value: cursor },
      { case: 'presence', value: presence },
      { case: 'changed', value: { address: '' } },
    ] as const) {
      line.send({ body: { case: 'room', value: { action } } })
    }
    const sending = client.send('acme/boiler', 'x')
    await line.receipts()
    expect((await sending).status).toBe('ROUTED')
  })

  test("history that was not asked for is nobody's", async () => {
    const joining = client.join('acme/boiler')
    const { id } = await line.frame('room')
    line.send(joined(id, 'room:acme/boiler'))
    const messages = (await joining).messages()
    line.send(message('old', { replay: 1, sequence: 100n }), message('live'))
    expect((await messages.next()).value).toMatchObject({ text: 'live' })
  })

  test.each([-1, 1.5, 2n ** 64n])('%s is no position', async (since) => {
    await expect(client.join('acme/boiler', { since })).rejects.toThrow(RangeError)
  })
})

test('any bytes at all end in an error that is told, or in none', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 60 }), async (noise) => {
      await client.close()
      await open()
      line.sendBytes(noise)
      line.close(4539)
      const { error } = await closed
      expect(error?.name).toBe('PorthouseError')
    }),
    { numRuns: 60 },
  )
})

test('a listener that throws harms nobody else', async () => {
  const uncaught = new Promise((resolve) => {
    const [theirs] = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.once('uncaughtException', (error) => {
      if (theirs) process.on('uncaughtException', theirs)
      resolve(error)
    })
  })
  const fault = new Error('in a listener')
  let told = false
  client.on('lost', () => {
    throw fault
  })
  client.on('lost', () => {
    told = true
  })
  const value = { route: 0, count: 1, code: Code.SLOW_CONSUMER }
  line.send({ body: { case: 'room', value: { action: { case: 'lost', value } } } })
  expect(await uncaught).toBe(fault)
  expect(told).toBe(true)
})
