/** Checks of configs and of messages by the admin API, which save and send nothing (R19, R20). */
import type { JsonObject } from '@bufbuild/protobuf'
import type { Client } from '@connectrpc/connect'
import { AccountService } from '@porthouse/proto/admin/v1/account_service'
import { RoomService } from '@porthouse/proto/admin/v1/room_service'
import { Code } from '@porthouse/proto/v1/code'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminClient, failure } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'
import { configOf } from './configs.ts'

let gateway: TestGateway
let rooms: Client<typeof RoomService>

const parent = 'accounts/acme'

beforeAll(async () => {
  gateway = await TestGateway.start()
  const operator = await gateway.operatorKey()
  rooms = adminClient(RoomService, gateway, operator)
  await adminClient(AccountService, gateway, operator).createAccount({ accountId: 'acme' })
  for (const roomId of ['plain', 'json']) {
    const blocks = roomId === 'json' ? [{ messages: { json: { schema: READING } } }] : []
    await rooms.createRoom({ parent, roomId, room: { config: configOf(...blocks) } })
  }
})
afterAll(() => gateway.stop())

const READING = JSON.stringify({
  type: 'object',
  properties: { sensor: { properties: { celsius: { type: 'number', maximum: 100 } } } },
  required: ['sensor'],
})

describe('a config', () => {
  const check = async (...blocks: JsonObject[]) =>
    (await rooms.checkRoomConfig({ parent, config: configOf(...blocks) })).violations

  test('that may be used has no violations', async () => {
    expect(await check()).toEqual([])
    expect(await check({ history: { keep: 'KEEP_DURABLE' } }, { retention: {} })).toEqual([])
  })

  test('is told each fault, by path', async () => {
    const violations = await check(
      { retention: { messages: 5 } },
      { access: { locks: ['token', 'magic', 'webhook'] } },
      { echo: {} },
      { echo: {} },
      { messages: { json: { schema: '{"type": 7}' } } },
    )
    expect(violations.map(({ field }) => field)).toEqual([
      'config.blocks[0].retention',
      'config.blocks[1].access.locks[1]',
      'config.blocks[1].access.locks[2]',
      'config.blocks[1].access.locks[2]',
      'config.blocks[3]',
      'config.blocks[4].messages.json.schema',
    ])
    expect(violations[1]?.description).toContain('no acceptor magic; known: ')
  })

  test('is told which option of a lock is wrong, also of a lock within its options', async () => {
    const by = { lock: { acceptor: 'tokn' } }
    const flows = [
      { lock: { acceptor: 'webhook', options: { url: 'ftp://x', secret: '***', colour: 'red' } } },
      { lock: { acceptor: 'identity', options: { by } } },
    ]
    const violations = await check({ access: { flow: { all: { flows } } } })
    const flow = 'config.blocks[0].access.flow.all'
    expect(violations.map(({ field }) => field).toSorted()).toEqual([
      `${flow}.flows[0].lock.options`,
      `${flow}.flows[0].lock.options.secret`,
      `${flow}.flows[0].lock.options.url`,
      `${flow}.flows[1].lock.options.by.lock.acceptor`,
    ])
  })

  test('with a field that is misspelt is not taken for one without it', async () => {
    const url = `http://127.0.0.1:${gateway.port}/porthouse.admin.v1.RoomService/CheckRoomConfig`
    const authorization = `Bearer ${await gateway.operatorKey()}`
    const check = (access: object) =>
      fetch(url, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ parent, config: { blocks: [{ access }] } }),
      })
    expect((await check({ locks: ['token'] })).status).toBe(200)
    const misspelt = await check({ lock: ['token'] })
    expect(misspelt.status).toBe(400)
    expect(await misspelt.text()).toContain('lock')
  })

  test('that no JSON can hold is told as such', async () => {
    const config = configOf({ program: { module: 'a', options: {} } })
    const { kind } = config.blocks[0]!
    if (kind.case === 'program') kind.value.options = { x: Number.NaN }
    const { violations } = await rooms.checkRoomConfig({ parent, config })
    expect(violations).toMatchObject([{ field: 'config' }])
    const call = rooms.createRoom({ parent, roomId: 'nan', room: { config } })
    expect((await failure(call)).code).toBe('ARGUMENT_INVALID')
  })

  test('of an account that is not there is not looked at', async () => {
    const call = rooms.checkRoomConfig({ parent: 'accounts/absent', config: configOf() })
    expect((await failure(call)).code).toBe('RESOURCE_UNKNOWN')
    const { problem } = await failure(rooms.checkRoomConfig({ parent }))
    expect(problem?.violations).toMatchObject([{ field: 'config' }])
  })
})

describe('a message', () => {
  const text = (value: string) => ({ case: 'text', value }) as const
  const [plain, json] = ['plain', 'json'].map((slug) => `${parent}/rooms/${slug}`)

  test('fits a room that asks for nothing', async () => {
    for (const content of [
      text('hi'),
      { case: 'payload', value: new Uint8Array([255]) } as const,
    ]) {
      expect(await rooms.checkMessage({ room: plain!, content })).toMatchObject({ fits: true })
    }
    expect(await rooms.checkMessage({ room: plain! })).toMatchObject({ fits: true })
  })

  test('that does not fit is told where and why', async () => {
    const check = (value: string) => rooms.checkMessage({ room: json!, content: text(value) })
    expect(await check('{"sensor": {"celsius": 21}}')).toMatchObject({ fits: true, code: 0 })
    const hot = await check('{"sensor": {"celsius": 101}}')
    expect(hot).toMatchObject({ fits: false, code: Code.CONTENT_INVALID })
    expect(hot).toMatchObject({ field: '/sensor/celsius', reason: expect.stringContaining('100') })
    expect(await check('{')).toMatchObject({ fits: false, code: Code.CONTENT_INVALID, field: '' })
    expect(await check('{}')).toMatchObject({
      fits: false,
      reason: expect.stringContaining('sensor'),
    })
    const long = await check(JSON.stringify({ sensor: 'x'.repeat(300_000) }))
    expect(long).toMatchObject({ fits: false, code: Code.PAYLOAD_TOO_LARGE })
  })

  test('is checked by a block that is not saved', async () => {
    const messages = { structure: { case: 'text', value: {} } } as const
    const content = { case: 'payload', value: new Uint8Array([255]) } as const
    expect(await rooms.checkMessage({ room: plain!, content, messages })).toMatchObject({
      fits: false,
      code: Code.CONTENT_INVALID,
    })
    const schema = { structure: { case: 'json', value: { schema: '{"type": 7}' } } } as const
    const { problem } = await failure(rooms.checkMessage({ room: plain!, messages: schema }))
    expect(problem?.violations).toMatchObject([{ field: 'messages.json.schema' }])
    const absent = rooms.checkMessage({ room: `${parent}/rooms/absent`, content, messages })
    expect((await failure(absent)).code).toBe('RESOURCE_UNKNOWN')
  })
})
