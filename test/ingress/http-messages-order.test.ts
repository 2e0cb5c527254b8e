/** The order of posts, and that it is one with what sockets send (R6, R31). */

import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { SocketGuest } from '../mqtt/equality/socket-guest.ts'
import { TestGateway } from '../support/gateway.ts'
import { DURABLE } from '../support/past.ts'
import { post } from '../support/posting.ts'
import { exchange, resetRawWebSockets } from '../support/raw-websocket.ts'

const COUNT = 1_000

let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start({ messages: { idleMs: 60_000, authors: 2, waiting: COUNT } })
})
afterEach(resetRawWebSockets)
afterAll(() => gateway?.stop())

/** Posts that follow each other on one connection, none of which waits for an answer. */
async function pipelined(secret: string, to: string, last = 'close'): Promise<string[]> {
  const requests = Array.from({ length: COUNT }, (_, i) => {
    const body = JSON.stringify({ to: [to], text: `${i}` })
    return [
      'POST /v1/messages HTTP/1.1',
      'Host: x',
      `Authorization: Bearer ${secret}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      ...(i === COUNT - 1 ? [`Connection: ${last}`] : []),
      '',
      body,
    ].join('\r\n')
  })
  const answers = await exchange(gateway.port, requests.join(''))
  return answers.match(/RECEIPT_STATUS_[A-Z]+/g) ?? []
}

test.each([
  ['that keeps nothing', []],
  ['that stores them', [DURABLE]],
])('1,000 posts pipelined into a room %s keep their order', async (what, blocks) => {
  const room = `acme/${what.replaceAll(' ', '-')}`
  await gateway.room(room, blocks)
  const secret = await gateway.token('acme', [room.slice('acme/'.length)])
  const guest = await SocketGuest.comes(gateway.port, 'binary', secret)
  await guest.enters(room)
  const statuses = await pipelined(secret, `room:${room}`)
  expect([statuses.length, new Set(statuses)]).toEqual([COUNT, new Set(['RECEIPT_STATUS_ROUTED'])])
  const heard = await guest.hearsAll(COUNT)
  expect(heard.map(({ bytes }) => Number(bytes.toString()))).toEqual([...Array(COUNT).keys()])
  expect(heard.map(({ sequence }) => sequence)).toEqual(
    Array.from({ length: COUNT }, (_, i) => i + 1),
  )
})

test('a room that nobody is in is entered once, and by all at once in order', async () => {
  await gateway.room('acme/cold', [DURABLE])
  const secret = await gateway.token('acme', ['cold'])
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => {
      return post(gateway, { to: ['room:acme/cold'], text: `${i}` }, { key: secret })
    }),
  )
  expect(answers.map(({ receipt }) => receipt.status)).toEqual(Array(50).fill(ReceiptStatus.STORED))
  const positions = answers.map(({ receipt }) => Number(receipt.sequence))
  expect(positions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
})

test('of many who post few are kept, and all are served', async () => {
  await gateway.room('acme/busy')
  const keys = await Promise.all(Array.from({ length: 6 }, () => gateway.token('acme', ['busy'])))
  for (const key of [...keys, ...keys]) {
    const { status } = await post(gateway, { to: ['room:acme/busy'], text: 'x' }, { key })
    expect(status).toBe(200)
  }
})
