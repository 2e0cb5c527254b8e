/** The gateway itself by the admin API: what it is, how it is set, what it logs, and its end. */
import type { Client } from '@connectrpc/connect'
import { LogLevel, ServerService } from '@porthouse/proto/admin/v1/server_service'
import { Code } from '@porthouse/proto/v1/code'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminClient, failure } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'
import { inside } from '../support/inside.ts'
import { OPEN } from '../support/memory-store.ts'

let gateway: TestGateway
let operator: Client<typeof ServerService>
let owner: Client<typeof ServerService>
let admin: Client<typeof ServerService>

beforeAll(async () => {
  gateway = await TestGateway.start({ http: { publicUrl: 'https://porthouse.example' } })
  for (const room of ['acme/boiler', 'other/room']) await gateway.room(room, [OPEN])
  operator = adminClient(ServerService, gateway, await gateway.operatorKey())
  owner = adminClient(ServerService, gateway, await gateway.apiKey('owner', 'acme'))
  admin = adminClient(ServerService, gateway, await gateway.apiKey('admin', 'acme'))
})
afterAll(() => gateway.stop())

describe('the server', () => {
  test.each(['connect', 'grpc', 'grpc-web'] as const)('shows itself by %s', async (by) => {
    const client = adminClient(ServerService, gateway, await gateway.operatorKey(), by)
    const server = await client.getServer({})
    expect(server).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      features: expect.arrayContaining(['websocket', 'admin']),
      configDigest: expect.stringMatching(/^[0-9a-f]{16}$/),
      draining: false,
      warnings: [],
      logLevels: [{ subsystem: '', level: LogLevel.SILENT }],
    })
    expect(server.listeners.map(({ name }) => name)).toEqual(['http', 'mqtt'])
    expect(server.listeners[0]).toMatchObject({ host: '127.0.0.1', port: gateway.port, tls: false })
    const [start, now] = [server.startTime?.seconds ?? 0n, server.time?.seconds ?? 0n]
    expect(now - start).toBeLessThan(300n)
  })

  test('tells an account less', async () => {
    const server = await owner.getServer({})
    expect(server.version).not.toBe('')
    expect(server).toMatchObject({ listeners: [], warnings: [], logLevels: [] })
  })

  test('shows its settings without secrets, and is set alike by the same digest', async () => {
    const { settings, configDigest } = await operator.getConfig({})
    expect(settings).toMatchObject({
      http: { publicUrl: 'https://porthouse.example', listen: '127.0.0.1:0' },
      databaseUrl: null,
      admin: { reflection: true },
    })
    expect((await operator.getServer({})).configDigest).toBe(configDigest)
    const other = await gateway.beside({ heartbeatMs: 1_234 })
    const client = adminClient(ServerService, other, await gateway.operatorKey())
    expect((await client.getConfig({})).configDigest).not.toBe(configDigest)
    await other.stop()
    expect((await failure(owner.getConfig({}))).code).toBe('ROLE_NOT_PERMITTED')
  })
})

describe('the log', () => {
  const duration = { seconds: 60n, nanos: 0 }

  test('says more of one subsystem, for a while', async () => {
    const request = { level: LogLevel.FATAL, subsystem: 'session', duration } as const
    await operator.setLogLevel({ ...request, validateOnly: true })
    expect((await operator.getServer({})).logLevels).toHaveLength(1)
    const set = await operator.setLogLevel(request)
    expect(set).toMatchObject({ subsystem: 'session', level: LogLevel.FATAL })
    const lasts = Number(set.expireTime?.seconds) - Date.now() / 1000
    expect(lasts).toBeGreaterThan(30)
    expect((await operator.getServer({})).logLevels[1]).toEqual(set)
  })

  test('is that of the whole gateway, not of administration alone', async () => {
    const log = pino({ level: 'silent' }, { write: () => undefined })
    const beside = await gateway.beside({}, gateway.store, log)
    const client = adminClient(ServerService, beside, await gateway.operatorKey())
    await client.setLogLevel({ level: LogLevel.WARN, duration })
    expect(log.level).toBe('warn')
    await beside.stop()
  })

  test.each([
    [{ level: LogLevel.DEBUG, subsystem: 'none' }, 'ARGUMENT_INVALID'],
    [{ subsystem: 'session' }, 'ARGUMENT_INVALID'],
    [{ level: 99 as LogLevel }, 'ARGUMENT_INVALID'],
    [{ level: LogLevel.DEBUG, duration: { seconds: 0n, nanos: 1 } }, 'ARGUMENT_INVALID'],
    [{ level: LogLevel.DEBUG, duration: { seconds: 86_401n, nanos: 0 } }, 'ARGUMENT_INVALID'],
  ] as const)('is not set to %o', async (request, code) => {
    expect((await failure(operator.setLogLevel(request))).code).toBe(code)
  })

  test('is not an account’s to set', async () => {
    const call = owner.setLogLevel({ level: LogLevel.SILENT })
    expect((await failure(call)).code).toBe('ROLE_NOT_PERMITTED')
  })
})

describe('a drain', () => {
  test('of an account tells its sockets to reconnect, and no others', async () => {
    const token = await gateway.token('acme', ['boiler'])
    const own = await inside(gateway, token, 'acme/boiler')
    const foreign = await inside(gateway, await gateway.token('other', ['room']), 'other/room')
    const name = 'accounts/acme'
    expect(await admin.drain({ name, validateOnly: true })).toMatchObject({ sockets: 1 })
    expect(await admin.drain({ name, reason: 'elsewhere' })).toMatchObject({ sockets: 1 })
    const last = (await own.socket.rest()).at(-1)
    expect(last?.body).toMatchObject({
      case: 'drop',
      value: { code: Code.DRAINING, detail: 'elsewhere' },
    })
    expect(gateway.sockets).toBe(1)
    foreign.socket.reset()
  })

  test('of the gateway is the operator’s alone, and ends it in order', async () => {
    expect((await failure(admin.drain({ name: '-' }))).code).toBe('RESOURCE_UNKNOWN')
    const other = await gateway.beside()
    const guest = await inside(other, undefined, 'acme/boiler')
    const client = adminClient(ServerService, other, await gateway.operatorKey())
    await client.drain({ name: '-', validateOnly: true })
    expect(await client.drain({ name: '-' })).toMatchObject({ sockets: 1 })
    const last = (await guest.socket.rest()).at(-1)
    expect(last?.body).toMatchObject({ case: 'drop', value: { code: Code.DRAINING } })
    await other.ended
  })
})
