/** The same message, by whichever medium it was sent, heard on each of them (R6, R54). */
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Guest, MEDIA, type Medium } from '../mqtt/equality/guest.ts'
import { comes, newRoom } from '../mqtt/equality/guests.ts'
import { TestGateway } from '../support/gateway.ts'
import { resetMqttClients } from '../support/mqtt-client.ts'
import { DURABLE } from '../support/past.ts'
import { post } from '../support/posting.ts'
import { resetRawWebSockets } from '../support/raw-websocket.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start()
})
afterEach(() => {
  resetMqttClients()
  resetRawWebSockets()
})
afterAll(() => gateway?.stop())

const SAID = {
  channel: 'news',
  content: 'hello, \u4e16\u754c',
  contentType: 'text/plain',
  replyTo: 'client:acme/ann',
  correlation: Buffer.from('q1'),
  headers: [['a', 'b']],
  expiresAfter: 600,
} as const

const BODY = {
  text: SAID.content,
  contentType: SAID.contentType,
  replyTo: SAID.replyTo,
  correlationId: SAID.correlation.toString('base64'),
  headers: Object.fromEntries(SAID.headers),
  expiresAfter: SAID.expiresAfter,
}

/** What no two messages have in common. */
const OWN = ['id', 'sequence', 'timeMs', 'from']

function traceOf(heard: object): object {
  return Object.fromEntries(Object.entries(heard).filter(([name]) => !OWN.includes(name)))
}

describe.each([
  ['nothing', []],
  ['all', [DURABLE]],
])('in a room that keeps %s', (_what, blocks) => {
  test('a post is heard as what a socket says', async () => {
    const { room, secret } = await newRoom(gateway, ...blocks)
    const guests = new Map<Medium, Guest>()
    for (const medium of MEDIA) {
      const guest = await comes(gateway, medium, secret)
      await guest.enters(room)
      guests.set(medium, guest)
    }
    const speaker = await comes(gateway, 'binary', secret)
    const said = await speaker.says(room, SAID)
    const to = [`room:${room}/news`]
    const { receipt } = await post(gateway, { to, ...BODY }, { key: secret })
    expect([said.sockets, receipt.sockets]).toEqual([MEDIA.length, MEDIA.length])
    expect(receipt.status).toBe(said.status)
    expect(receipt.sequence).toBe(said.sequence + 1n)
    for (const [medium, guest] of guests) {
      const [first, second] = await guest.hearsAll(2)
      expect([medium, traceOf(second!)]).toEqual([medium, traceOf(first!)])
      if (medium === 'mqtt 3.1.1') continue
      expect(second).toMatchObject({
        id: Buffer.from(receipt.id).toString('hex'),
        sequence: Number(receipt.sequence),
      })
      expect(second!.from).toMatch(/^socket:/)
    }
  })
})

test('posts and what sockets say are in one order, the same for all', async () => {
  const { room, secret } = await newRoom(gateway, DURABLE)
  const guests = await Promise.all(MEDIA.map((medium) => comes(gateway, medium, secret)))
  for (const guest of guests) await guest.enters(room)
  const speaker = await comes(gateway, 'json', secret)
  const sent = Array.from({ length: 20 }, async (_, i) => {
    const text = `${i}`
    if (i % 2 === 0) return speaker.says(room, text)
    const { receipt } = await post(gateway, { to: [`room:${room}`], text }, { key: secret })
    return receipt
  })
  const receipts = await Promise.all(sent)
  expect(receipts.every(({ status }) => status === ReceiptStatus.ROUTED)).toBe(true)
  const wanted = receipts
    .map(({ sequence }, i) => ({ sequence, text: `${i}` }))
    .sort((a, b) => Number(a.sequence - b.sequence))
    .map(({ text }) => text)
  for (const guest of guests) {
    const heard = await guest.hearsAll(20)
    expect(heard.map(({ bytes }) => bytes.toString())).toEqual(wanted)
  }
})
