/** Flows by the admin API: what acceptors take, and what a socket would meet (R18). */
import { randomUUID } from 'node:crypto'
import type { JsonObject, MessageInitShape } from '@bufbuild/protobuf'
import type { Client } from '@connectrpc/connect'
import { AccountService } from '@porthouse/proto/admin/v1/account_service'
import {
  type ExplainFlowRequestSchema,
  FlowOutcome,
  FlowService,
} from '@porthouse/proto/admin/v1/flow_service'
import { Code } from '@porthouse/proto/v1/code'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { adminClient, failure } from '../support/admin.ts'
import { text } from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { brief } from '../support/heard.ts'
import { OPEN } from '../support/memory-store.ts'
import { member } from '../support/outcome.ts'
import { resetRawWebSockets } from '../support/raw-websocket.ts'
import { configOf, LATER, WEBHOOK } from './configs.ts'

let gateway: TestGateway
let flows: Client<typeof FlowService>

beforeAll(async () => {
  gateway = await TestGateway.start()
  const operator = await gateway.operatorKey()
  flows = adminClient(FlowService, gateway, operator)
  const accounts = adminClient(AccountService, gateway, operator)
  for (const accountId of ['acme', 'other']) await accounts.createAccount({ accountId })
  await gateway.room('acme/plain')
  await gateway.room('acme/open', [OPEN])
  await gateway.room('other/theirs')
  const identity = { lock: { acceptor: 'identity' } }
  const any = { any: { flows: [WEBHOOK.access.flow, { lock: { acceptor: 'token' } }] } }
  await configured('nested', { access: { flow: { all: { flows: [identity, any] } } } })
})
afterEach(resetRawWebSockets)
afterAll(() => gateway.stop())

async function configured(slug: string, ...blocks: JsonObject[]): Promise<void> {
  await gateway.room(`acme/${slug}`)
  await gateway.store.rooms.configure('acme', slug, configOf(...blocks), 'test')
}

const place = (slug: string) => `accounts/acme/rooms/${slug}`
const explain = (slug: string, as: MessageInitShape<typeof ExplainFlowRequestSchema> = {}) =>
  flows.explainFlow({ place: place(slug), ...as })

/** The name of a new token. */
async function token(rooms: string[], terms: { expiresAt?: Date } = {}): Promise<string> {
  const id = randomUUID()
  const grants = rooms.map((room) => ({ room, send: true, receive: true }))
  const hash = new Uint8Array(32)
  await gateway.store.tokens.create({ id, hash, account: 'acme', grants, ...terms })
  return `accounts/acme/tokens/${id}`
}

describe('acceptors', () => {
  test('are listed by name, with what each takes', async () => {
    const { acceptors } = await flows.listAcceptors({})
    const names = acceptors.map(({ acceptor }) => acceptor)
    expect(names).toEqual(names.toSorted())
    expect(names).toEqual(expect.arrayContaining(['token', 'webhook', 'ssh-key', 'oidc', 'knock']))
    for (const { proves } of acceptors) expect(proves).not.toBe('')
    const ajv = new Ajv2020({ validateFormats: false })
    const takes = (name: string, options: object) =>
      ajv.validate(acceptors.find(({ acceptor }) => acceptor === name)!.optionsSchema!, options)
    expect(takes('webhook', WEBHOOK.access.flow.lock.options)).toBe(true)
    expect(takes('webhook', { url: 'https://door.example' })).toBe(false)
    expect(takes('token', {})).toBe(true)
    expect(takes('token', { colour: 'red' })).toBe(false)
    expect(acceptors.filter(({ optionsSchema }) => !optionsSchema)).toEqual([])
  })
})

describe('a dry run', () => {
  test('as nobody waits at the locks that stand first', async () => {
    const found = await explain('plain')
    expect(found).toMatchObject({ address: 'room:acme/plain', as: [], next: ['token'] })
    expect(found).toMatchObject({ outcome: FlowOutcome.LOCKED, visitors: { send: true } })
    expect(found.flow?.kind).toMatchObject({
      case: 'lock',
      value: { acceptor: 'token', tries: 3, deadlineMs: 10_000 },
    })
    const open = await explain('open')
    expect(open).toMatchObject({ outcome: FlowOutcome.ENTERED, hears: [''] })
    expect(open.flow).toBeUndefined()
  })

  test('shows a flow as it is nested, what locks need, and no secret', async () => {
    const found = await explain('nested')
    const [identity, any] = found.flow?.kind.case === 'all' ? found.flow.kind.value.steps : []
    const needs = identity?.kind.case === 'lock' ? identity.kind.value.needs : undefined
    expect(needs?.kind.case).toBe('any')
    const [webhook, by] = any?.kind.case === 'any' ? any.kind.value.steps : []
    expect(webhook?.kind.value).toMatchObject({
      acceptor: 'webhook',
      proves: 'what its service says',
      options: { url: 'https://door.example/decide', secret: '***' },
    })
    expect(by?.kind.value).toMatchObject({ acceptor: 'token', options: {} })
  })

  test('as a token, and where it may go', async () => {
    const name = await token(['plain', 'nested'])
    const found = await explain('plain', { token: name })
    expect(found).toMatchObject({ outcome: FlowOutcome.ENTERED, next: [], hears: [''] })
    expect(found).toMatchObject({ rights: { send: true, receive: true, admit: false } })
    expect(found.as).toEqual([`token:${name.split('/').at(-1)} (token)`])
    expect(found.flow?.finished).toBe(true)
    const channel = await explain('plain', { token: name, channel: 'deck/1' })
    expect(channel).toMatchObject({ address: 'room:acme/plain/deck/1', hears: ['deck/1'] })
    const elsewhere = await explain('plain', { token: await token(['open']) })
    expect(elsewhere).toMatchObject({
      outcome: FlowOutcome.REFUSED,
      code: Code.ENTRY_NOT_PERMITTED,
    })
  })

  test('as a client, as the owner, and of a lobby', async () => {
    await gateway.store.clients.create({ account: 'acme', slug: 'ann', grants: [] })
    const client = 'accounts/acme/clients/ann'
    expect((await explain('plain', { client })).as).toEqual(['client:acme/ann'])
    const keyless = await failure(explain('plain', { owner: true }))
    expect(keyless.code).toBe('STATE_UNSUITABLE')
    const key = { id: randomUUID(), kind: 'connection-key', account: 'acme' } as const
    await gateway.store.credentials.add({ ...key, data: {}, label: '' })
    const lobby = await flows.explainFlow({ place: 'accounts/acme', owner: true })
    expect(lobby).toMatchObject({ address: 'lobby:acme', as: ['account acme (key)'] })
    expect(lobby).toMatchObject({ outcome: FlowOutcome.ENTERED })
    const channel = flows.explainFlow({ place: 'accounts/acme', channel: 'x' })
    expect((await failure(channel)).problem?.violations).toMatchObject([{ field: 'channel' }])
  })

  test('of what is not there, or cannot be used, is refused', async () => {
    const name = await token([], { expiresAt: new Date(0) })
    await configured('broken', { access: { locks: ['magic'] } })
    await configured('later')
    await gateway.sql(
      (sql) => sql`update room_revisions set config = ${LATER}::text::jsonb from rooms
        where slug = 'later' and room_id = rooms.id`,
    )
    for (const [code, call] of [
      ['RESOURCE_UNKNOWN', () => explain('absent')],
      ['RESOURCE_UNKNOWN', () => flows.explainFlow({ place: 'accounts/absent' })],
      ['RESOURCE_UNKNOWN', () => explain('plain', { client: 'accounts/acme/clients/bob' })],
      [
        'RESOURCE_UNKNOWN',
        () => explain('plain', { token: `accounts/acme/tokens/${randomUUID()}` }),
      ],
      ['RESOURCE_UNKNOWN', () => explain('plain', { token: name.replace('acme', 'other') })],
      ['STATE_UNSUITABLE', () => explain('plain', { token: name })],
      ['STATE_UNSUITABLE', () => explain('broken')],
      ['STATE_UNSUITABLE', () => explain('later')],
      ['ARGUMENT_INVALID', () => flows.explainFlow({ place: 'rooms/plain' })],
      ['ARGUMENT_INVALID', () => flows.explainFlow({})],
      ['ADDRESS_INVALID', () => explain('plain', { channel: '/x' })],
    ] as const) {
      expect((await failure(call())).code).toBe(code)
    }
  })

  test('is not felt by those who are in a room that keeps its messages', async () => {
    await configured('kept', { history: { keep: 'KEEP_DURABLE' } }, { retention: { messages: 5 } })
    const secret = await gateway.token('acme', ['kept'])
    const { socket } = await member(gateway, secret, 'room:acme/kept')
    const as = { token: await token(['kept']) }
    expect((await explain('kept')).outcome).toBe(FlowOutcome.LOCKED)
    expect((await explain('kept', as)).outcome).toBe(FlowOutcome.ENTERED)
    socket.packet(text(3, 'hi', { to: ['room:acme/kept'] }))
    expect(brief(await socket.frame())).toBe('3 receipt STORED 0')
  })
})

describe('what guards a room', () => {
  const parent = 'accounts/acme'

  test('is checked without a room, each fault by its path', async () => {
    const check = async (access: JsonObject) => {
      const [block] = configOf({ access }).blocks
      if (block?.kind.case !== 'access') throw new Error('no block access')
      const { violations } = await flows.checkFlow({ parent, access: block.kind.value })
      return violations.map(({ field }) => field)
    }
    expect(await check({ locks: ['token', 'ssh-key'] })).toEqual([])
    const wrong = { any: { flows: [{ lock: { acceptor: 'token', tries: 500 } }, {}] } }
    expect(await check({ flow: wrong })).toEqual([
      'access.flow.any.flows[0].lock.tries',
      'access.flow.any.flows[1]',
    ])
    expect(await check({ locks: ['token'], flow: wrong })).toEqual(['access'])
    const { problem } = await failure(flows.checkFlow({ parent }))
    expect(problem?.violations).toMatchObject([{ field: 'access' }])
    const absent = flows.checkFlow({ parent: 'accounts/absent', access: {} })
    expect((await failure(absent)).code).toBe('RESOURCE_UNKNOWN')
  })
})

test('callers see their own account alone, and need credentials (A15)', async () => {
  for (const role of ['owner', 'admin', 'auditor'] as const) {
    const client = adminClient(FlowService, gateway, await gateway.apiKey(role, 'acme'))
    await client.listAcceptors({})
    expect(await client.explainFlow({ place: place('open') })).toMatchObject({ as: [] })
    const foreign = await failure(client.explainFlow({ place: 'accounts/other/rooms/theirs' }))
    const absent = await failure(client.explainFlow({ place: 'accounts/absent/rooms/theirs' }))
    expect(foreign).toEqual({ ...absent, message: absent.message.replace('absent', 'other') })
    for (const call of [
      () => client.explainFlow({ place: place('open'), client: 'accounts/other/clients/ann' }),
      () => client.checkFlow({ parent: 'accounts/other', access: {} }),
    ]) {
      expect((await failure(call())).code).toBe('RESOURCE_UNKNOWN')
    }
  }
  const nobody = adminClient(FlowService, gateway, undefined)
  expect((await failure(nobody.listAcceptors({}))).code).toBe('UNAUTHENTICATED')
})
