/** Why? over the admin API (R49): of a message by its receipt's id, and of one not sent yet. */

import { create } from '@bufbuild/protobuf'
import type { Client as AdminClient } from '@connectrpc/connect'
import { ExplainService } from '@porthouse/proto/admin/v1/explain_service'
import { Step, type Trail, Verdict } from '@porthouse/proto/admin/v1/trail'
import { AccessSchema } from '@porthouse/proto/room/v1/access'
import { HistorySchema, Keep } from '@porthouse/proto/room/v1/history'
import { LimitsSchema } from '@porthouse/proto/room/v1/limits'
import { Code } from '@porthouse/proto/v1/code'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Client, connect, PorthouseError, type Room } from '../../clients/ts/src/index.ts'
import { adminClient, failure } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'

let gateway: TestGateway
let explain: AdminClient<typeof ExplainService>
let token: string
let ann: Client
let bob: Client
let hall: Room

beforeAll(async () => {
  gateway = await TestGateway.start({ limits: { payloadBytes: 1_000 } })
  const limits = { case: 'limits', value: create(LimitsSchema, { payloadBytes: 8 }) } as const
  const history = {
    case: 'history',
    value: create(HistorySchema, { keep: Keep.DURABLE }),
  } as const
  await gateway.room('acme/hall', [history, limits])
  await gateway.room('acme/shut')
  await gateway.room('other/hall', [{ case: 'access', value: create(AccessSchema) }])
  token = await gateway.token('acme', ['hall'])
  ann = await connect(gateway.url, { token })
  bob = await connect(gateway.url, { token })
  await bob.join('acme/hall')
  hall = await ann.join('acme/hall')
  explain = adminClient(ExplainService, gateway, await gateway.apiKey('admin', 'acme'))
})
afterAll(async () => {
  await Promise.all([ann.close(), bob.close()])
  await gateway.stop()
})

/** The id that a message was refused under. */
async function refusedId(sending: Promise<unknown>): Promise<string> {
  const error = await sending.then(
    () => undefined,
    (failed) => failed,
  )
  if (!(error instanceof PorthouseError)) throw new Error(`not refused: ${error}`)
  return error.receipt?.id ?? ''
}

function last({ steps }: Trail) {
  return steps.at(-1)
}

describe('of a message that was sent', () => {
  test('each step is told, with the position that it got', async () => {
    const { id, sequence } = await hall.send('hi', { level: 'stored' })
    const trail = await explain.explainMessage({ name: `messages/${id}` })
    expect(trail).toMatchObject({ name: `messages/${id}`, socket: ann.socket, contentBytes: 2 })
    expect(trail.steps.map(({ step, verdict }) => [step, verdict])).toEqual([
      [Step.RESOLVE, Verdict.PASSED],
      [Step.PERMIT, Verdict.PASSED],
      [Step.FIT, Verdict.PASSED],
      // The client gives every message a key.
      [Step.RECALL, Verdict.PASSED],
      [Step.STORE, Verdict.STORED],
      [Step.SEND, Verdict.ROUTED],
    ])
    const tokenId = (await gateway.store.tokens.list('acme'))[0]?.id
    expect(trail.steps[1]?.decidedBy).toBe(`grant token:${tokenId} room:acme/hall`)
    expect(last(trail)).toMatchObject({ subject: 'room:acme/hall', sequence, sockets: 1 })
  })

  test('of one that was refused, by which line of the config', async () => {
    const id = await refusedId(hall.send('longer than eight'))
    const trail = await explain.explainMessage({ name: `messages/${id}` })
    expect(last(trail)).toMatchObject({
      step: Step.PERMIT,
      verdict: Verdict.REFUSED,
      code: Code.PAYLOAD_TOO_LARGE,
      decidedBy: 'config room:acme/hall blocks[1].limits.payloadBytes',
    })
  })

  test("another account's is as unknown as one that never was (A15)", async () => {
    const { id } = await hall.send('hi')
    const other = adminClient(ExplainService, gateway, await gateway.apiKey('owner', 'other'))
    const never = '0190f3a4-0000-7000-8000-000000000000'
    for (const each of [id, never, 'nonsense']) {
      const name = `messages/${each}`
      const refused = await failure(other.explainMessage({ name }))
      expect(refused).toMatchObject({ code: 'RESOURCE_UNKNOWN', message: `there is no ${name}` })
    }
  })

  test('of what went to another account, its sender is told what it was told before', async () => {
    const receipt = await ann.send('room:other/hall', 'hi')
    const name = `messages/${receipt.id}`
    const own = await explain.explainMessage({ name })
    expect(last(own)).toMatchObject({ step: Step.SEND, verdict: Verdict.VOID })
    expect(own.steps.every(({ decidedBy }) => decidedBy === '')).toBe(true)
    const other = adminClient(ExplainService, gateway, await gateway.apiKey('auditor', 'other'))
    const theirs = await other.explainMessage({ name })
    expect(theirs.steps.map(({ step }) => step)).toContain(Step.ENTER)
    expect(theirs.steps.find(({ step }) => step === Step.PERMIT)?.decidedBy).toBe(
      'config room:other/hall blocks[0].access',
    )
  })
})

describe('of a send that has not happened', () => {
  const parent = 'accounts/acme'
  const to = ['room:acme/hall']
  const asToken = async () => {
    const [{ id } = { id: '' }] = await gateway.store.tokens.list('acme')
    return { parent, token: `${parent}/tokens/${id}` }
  }

  test('it is told whom it would reach, and nobody hears it', async () => {
    const before = await hall.send('one')
    const sender = await asToken()
    const { status, trail } = await explain.explainSend({
      ...sender,
      to,
      content: { case: 'text', value: 'hi' },
    })
    expect(status).toBe(ReceiptStatus.ROUTED)
    expect(trail?.steps.map(({ step, verdict }) => [step, verdict])).toEqual([
      [Step.SCAN, Verdict.PASSED],
      [Step.ENTER, Verdict.PASSED],
      [Step.RESOLVE, Verdict.PASSED],
      [Step.PERMIT, Verdict.PASSED],
      [Step.FIT, Verdict.PASSED],
      [Step.STORE, Verdict.WAITING],
      [Step.SEND, Verdict.ROUTED],
    ])
    expect(trail?.steps.at(-1)?.sockets).toBe(2)
    const after = await hall.send('two')
    expect(after.sequence).toBe((before.sequence ?? 0n) + 1n)
    expect(gateway.sockets).toBe(2)
  })

  test('nor is it too large for a room, or for the gateway, without being so large', async () => {
    const sender = await asToken()
    const of = async (value: number) => {
      const content = { case: 'contentBytes' as const, value }
      const { status, trail } = await explain.explainSend({ ...sender, to, content })
      return { status, ...trail?.steps.at(-1) }
    }
    expect(await of(9)).toMatchObject({
      status: ReceiptStatus.REJECTED,
      decidedBy: 'config room:acme/hall blocks[1].limits.payloadBytes',
    })
    expect(await of(4_000_000_000)).toMatchObject({
      step: Step.SCAN,
      code: Code.PAYLOAD_TOO_LARGE,
      decidedBy: 'setting limits.payloadBytes',
    })
  })

  test('by somebody who has proved nothing, it would wait at a lock', async () => {
    const { status, trail } = await explain.explainSend({ parent, to })
    expect(status).toBe(ReceiptStatus.REJECTED)
    expect(trail?.steps.at(-1)).toMatchObject({
      code: Code.UNAUTHENTICATED,
      detail: 'it would wait at a lock first: token',
      decidedBy: 'config room:acme/hall access (default)',
    })
  })

  test('to a room that nobody is in, without loading it', async () => {
    const sender = { ...(await asToken()), owner: false }
    const { trail } = await explain.explainSend({ ...sender, to: ['room:acme/shut'] })
    expect(trail?.steps.at(-1)).toMatchObject({ verdict: Verdict.REFUSED, step: Step.ENTER })
    const open = await explain.explainSend({ ...sender, to: ['room:other/hall'] })
    expect(open.trail?.steps.at(-1)).toMatchObject({ verdict: Verdict.VOID })
    const none = await explain.explainSend({ ...sender, to: ['room:acme/none'] })
    expect(none.trail?.steps.at(-1)).toMatchObject({ verdict: Verdict.REFUSED })
  })

  test('from where a socket is, if it is of the account', async () => {
    const socket = `sockets/${ann.socket.slice('socket:'.length)}`
    const { trail } = await explain.explainSend({ parent, socket, to })
    expect(trail?.steps.at(-1)).toMatchObject({ verdict: Verdict.ROUTED, sockets: 1 })
    const other = adminClient(ExplainService, gateway, await gateway.apiKey('owner', 'other'))
    const refused = await failure(other.explainSend({ parent: 'accounts/other', socket, to }))
    expect(refused.code).toBe('RESOURCE_UNKNOWN')
  })

  test("of another account's client there is nothing", async () => {
    const refused = await failure(explain.explainSend({ parent: 'accounts/other', to }))
    expect(refused.code).toBe('RESOURCE_UNKNOWN')
    const client = 'accounts/other/clients/cat'
    expect((await failure(explain.explainSend({ parent, client, to }))).code).toBe(
      'RESOURCE_UNKNOWN',
    )
  })
})

test('without the feature nothing is noted, and the service is not there', async () => {
  const without = await gateway.beside({ features: '-why' as never })
  const key = await gateway.apiKey('owner', 'acme')
  const client = adminClient(ExplainService, without, key)
  const refused = await failure(client.explainSend({ parent: 'accounts/acme' }))
  expect(refused.message).toMatch(/404|unimplemented/i)
  await without.stop()
})
