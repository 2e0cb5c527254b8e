/** Who may post what where: as over a socket, and as of now (A10, A11, A15, K16, R51). */
import { ExplainService } from '@porthouse/proto/admin/v1/explain_service'
import { Verdict } from '@porthouse/proto/admin/v1/trail'
import { Code } from '@porthouse/proto/v1/code'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { newTokenIn } from '../mqtt/equality/guests.ts'
import { SocketGuest } from '../mqtt/equality/socket-guest.ts'
import { guardedBy } from '../support/access.ts'
import { adminClient } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'
import { block } from '../support/past.ts'
import { type Posted, type PostOptions, post } from '../support/posting.ts'
import { resetRawWebSockets } from '../support/raw-websocket.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start()
  for (const room of ['acme/a', 'acme/b', 'other/a']) await gateway.room(room)
  await gateway.room('acme/small', [
    block('limits', { sockets: 1 }),
    block('presence', { enabled: true }),
  ])
  await gateway.room('acme/locked', [guardedBy('password')])
})
afterEach(resetRawWebSockets)
afterAll(() => gateway?.stop())

const to = (room: string, key: string | undefined, options: Partial<PostOptions> = {}) =>
  post(gateway, { to: [`room:${room}`], text: 'x' }, { key, ...options })

const codeOf = async (answer: Promise<Posted>) => (await answer).problem.code

/** Posts until that is told, which takes as long as the notice of a change. */
async function until(status: number, posts: () => Promise<Posted>): Promise<Posted> {
  for (;;) {
    const answer = await posts()
    if (answer.status === status) return answer
  }
}

describe('a token', () => {
  test('of one room posts to no other, nor to another account (A10, A15)', async () => {
    const key = await gateway.token('acme', ['a'])
    expect((await to('acme/a', key)).status).toBe(200)
    expect(await codeOf(to('acme/b', key))).toBe('ENTRY_NOT_PERMITTED')
    const [there, nowhere] = [await to('other/a', key), await to('other/none', key)]
    expect(there.problem).toEqual(nowhere.problem)
  })

  test('that only receives does not post (A11)', async () => {
    const key = await gateway.token('acme', ['a'], { send: false })
    expect(await codeOf(to('acme/a', key))).toBe('SEND_NOT_PERMITTED')
  })

  test('is told by which message to ask why it was refused (R49)', async () => {
    const key = await gateway.token('acme', ['a'], { send: false })
    const { headers } = await to('acme/a', key)
    const name = headers.get('porthouse-message')!
    const explain = adminClient(ExplainService, gateway, await gateway.operatorKey())
    const { steps } = await explain.explainMessage({ name })
    expect(steps.at(-1)).toMatchObject({
      verdict: Verdict.REFUSED,
      code: Code.SEND_NOT_PERMITTED,
      decidedBy: 'config room:acme/a access (default)',
    })
  })

  test('of a channel posts there alone', async () => {
    const key = await gateway.token('acme', ['a'], { channels: ['news'] })
    expect((await to('acme/a/news', key)).status).toBe(200)
    expect(await codeOf(to('acme/a/other', key))).toBe('CHANNEL_NOT_PERMITTED')
  })

  test('of text sends no bytes, and no faster than its rate', async () => {
    const rate = { perSecond: 1, burst: 2 }
    const key = await gateway.token('acme', ['a'], { method: 'text', rate })
    const bytes = { to: ['room:acme/a'], payload: 'eA==' }
    const answer = await post(gateway, bytes, { key })
    expect(answer.problem.code).toBe('METHOD_NOT_PERMITTED')
    await to('acme/a', key)
    await to('acme/a', key)
    const late = await to('acme/a', key)
    expect(late).toMatchObject({ status: 429, problem: { code: 'RATE_LIMITED' } })
    expect(late.headers.get('retry-after')).toBe('1')
  })

  test('is not believed in a query, a cookie or another scheme (K16)', async () => {
    const key = await gateway.token('acme', ['a'])
    for (const options of [
      { query: `?access_token=${key}&token=${key}` },
      { headers: { cookie: `token=${key}` } },
      { headers: { authorization: `Basic ${btoa(`token:${key}`)}` } },
      { headers: { authorization: key } },
    ]) {
      expect((await to('acme/a', undefined, options)).status).toBe(401)
    }
  })

  test('that is revoked, or has other rights, is so within a second (R51)', async () => {
    const { id, secret } = await newTokenIn(gateway, 'acme/a')
    expect((await to('acme/a', secret)).status).toBe(200)
    await gateway.store.tokens.change(id, { grants: [{ room: 'b', send: true }] })
    expect((await until(403, () => to('acme/a', secret))).problem.code).toBe('ENTRY_NOT_PERMITTED')
    expect((await to('acme/b', secret)).status).toBe(200)
    await gateway.store.tokens.delete(id)
    await until(401, () => to('acme/b', secret))
  })

  test('that has expired is told so', async () => {
    const key = await gateway.token('acme', ['a'], { expiresAt: new Date(Date.now() - 1_000) })
    expect(await to('acme/a', key)).toMatchObject({
      status: 401,
      problem: { code: 'TOKEN_EXPIRED' },
    })
  })

  test('does not open a lock that it would not open on a socket', async () => {
    const key = await gateway.token('acme', ['locked'])
    expect(await codeOf(to('acme/locked', key))).toBe('ENTRY_NOT_PERMITTED')
  })

  test('needs no place among its connections, nor its client among its sockets', async () => {
    const client = await gateway.store.clients.create({
      account: 'acme',
      slug: 'sole',
      maxSockets: 1,
      grants: [],
    })
    const key = await gateway.token('acme', ['a'], { client: client.slug, maxConnections: 1 })
    const guest = await SocketGuest.comes(gateway.port, 'json', key)
    await guest.enters('acme/a')
    expect((await to('acme/a', key)).receipt).toMatchObject({
      status: ReceiptStatus.ROUTED,
      sockets: 1,
    })
    expect(await guest.hears()).toMatchObject({ from: 'client:acme/sole' })
    expect((await guest.says('acme/a', 'still here')).status).not.toBe(ReceiptStatus.REJECTED)
  })

  test('takes no place in a room, and nobody sees it there', async () => {
    const key = await gateway.token('acme', ['small'])
    const guest = await SocketGuest.comes(gateway.port, 'json', key)
    await guest.enters('acme/small', { presence: true })
    await guest.hasTold('presence')
    const other = await gateway.token('acme', ['small'], { client: 'ben' })
    expect(await to('acme/small', other)).toMatchObject({ status: 200, receipt: { sockets: 1 } })
    await guest.hears()
    const { count } = await guest.asksRoom('listMembers', { of: 'room:acme/small' })
    expect(count).toBe(1)
    // Nor does what is sent to its client reach anybody.
    const { status } = await guest.writes(['client:acme/ben'], 'hello')
    expect(status).toBe(ReceiptStatus.VOID)
  })
})

describe('an API key', () => {
  test.each(['owner', 'admin'] as const)('of role %s is its account', async (role) => {
    const key = await gateway.apiKey(role, 'acme')
    const reader = await gateway.token('acme', ['a'])
    const guest = await SocketGuest.comes(gateway.port, 'json', reader)
    await guest.enters('acme/a')
    expect((await to('acme/a', key)).receipt.sockets).toBe(1)
    expect((await guest.hears()).from).toBe('lobby:acme')
    expect((await to('acme/locked', key)).status).toBe(200)
    expect(await codeOf(to('acme/none', key))).toBe('ROOM_UNKNOWN')
    const [there, nowhere] = [await to('other/a', key), await to('other/none', key)]
    expect([there.status, there.problem]).toEqual([403, nowhere.problem])
  })

  test('of an auditor posts nothing', async () => {
    const key = await gateway.apiKey('auditor', 'acme')
    expect(await to('acme/a', key)).toMatchObject({
      status: 403,
      problem: { code: 'ROLE_NOT_PERMITTED' },
    })
  })
})

test('the operator speaks for whichever account the room is of', async () => {
  const key = await gateway.operatorKey()
  for (const account of ['acme', 'other']) {
    const guest = await SocketGuest.comes(gateway.port, 'json', await gateway.token(account, ['a']))
    await guest.enters(`${account}/a`)
    await to(`${account}/a`, key)
    expect((await guest.hears()).from).toBe(`lobby:${account}`)
  }
})

test('where the feature is off there is nothing', async () => {
  const other = await gateway.beside({ features: ['all', '-messages'] })
  const key = await gateway.token('acme', ['a'])
  expect((await post(other, { to: ['room:acme/a'] }, { key })).status).toBe(404)
  await other.stop()
})
