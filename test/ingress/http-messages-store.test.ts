/** Posts to a durable room whose store is away: nothing is told as stored that is not (R37). */
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Append, Histories } from '../../gateway/store/history.ts'
import { StoreError } from '../../gateway/store/store.ts'
import { TestGateway } from '../support/gateway.ts'
import { DURABLE } from '../support/past.ts'
import { post } from '../support/posting.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start()
  await gateway.room('acme/ledger', [DURABLE])
})
afterAll(() => gateway?.stop())

test('it is told to try again, under the same key, and is stored once', async () => {
  let away = false
  const { histories } = gateway.store
  const failing: Histories = {
    claim: (id) => histories.claim(id),
    head: (id) => histories.head(id),
    page: (id, range) => histories.page(id, range),
    keys: (id, since, limit) => histories.keys(id, since, limit),
    trim: (id, bounds, now) => histories.trim(id, bounds, now),
    purge: (id) => histories.purge(id),
    syncs: true,
    append: (appends: readonly Append[]) =>
      away ? Promise.reject(new StoreError('unavailable', 'secret')) : histories.append(appends),
  }
  const store = { ...gateway.store, histories: failing, ping: () => gateway.store.ping() }
  const other = await gateway.beside({ history: { waitMs: 100 } }, store)
  const key = await gateway.token('acme', ['ledger'])
  const say = (text: string) => {
    const body = { to: ['room:acme/ledger'], text, idempotencyKey: text }
    return post(other, body, { key })
  }
  expect((await say('before')).receipt.status).toBe(ReceiptStatus.STORED)
  away = true
  const refused = await say('meanwhile')
  expect(refused.status).toBe(503)
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(['UNCERTAIN', 'UNAVAILABLE']).toContain(refused.problem.code)
  expect(refused.bytes.toString()).not.toContain('secret')
  away = false
  let again = await say('meanwhile')
  while (again.status === 503) again = await say('meanwhile')
  expect([ReceiptStatus.STORED, ReceiptStatus.DUPLICATE]).toContain(again.receipt.status)
  const room = await gateway.store.rooms.find('acme', 'ledger')
  const range = { from: 'start', limit: 10, bytes: 1_000_000, filters: [''] } as const
  const { messages } = await histories.page(room!.id, range)
  const kept = messages.map(({ body }) => Buffer.from(body).toString().slice(2))
  expect(kept).toEqual(['before', 'meanwhile'])
  await other.stop()
})

test('credentials that cannot be looked up are no pass', async () => {
  const away = () => Promise.reject(new StoreError('unavailable', 'secret'))
  const tokens = { ...gateway.store.tokens, find: away }
  const store = { ...gateway.store, tokens, ping: () => gateway.store.ping() }
  const other = await gateway.beside({}, store as never)
  const key = await gateway.token('acme', ['ledger'])
  const { status, headers } = await post(other, { to: ['room:acme/ledger'] }, { key })
  expect([status, headers.get('retry-after')]).toEqual([503, '1'])
  await other.stop()
})
