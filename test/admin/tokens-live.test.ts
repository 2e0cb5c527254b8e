/** What the admin API changes of tokens, as their live sockets feel it (R51); and many tokens. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Client } from '@connectrpc/connect'
import { type Token, TokenService } from '@porthouse/proto/admin/v1/token_service'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { adminClient, pagesOf } from '../support/admin.ts'
import { answer, join } from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { brief } from '../support/heard.ts'
import { MqttClient, resetMqttClients } from '../support/mqtt-client.ts'
import { dropped } from '../support/outcome.ts'
import { RawWebSocket, resetRawWebSockets } from '../support/raw-websocket.ts'

const parent = 'accounts/acme'
const boiler = { room: `${parent}/rooms/boiler`, send: true, receive: true }
const cellar = { ...boiler, room: `${parent}/rooms/cellar` }

/** What R51 promises, in milliseconds. */
const FELT = { timeout: 1_000, interval: 10 }
const NOT_AUTHORIZED = 0x87

let gateway: TestGateway
let tokens: Client<typeof TokenService>

beforeAll(async () => {
  gateway = await TestGateway.start()
  tokens = adminClient(TokenService, gateway, await gateway.operatorKey())
  const access = { case: 'access', value: { locks: ['token'] } } as const
  for (const room of ['acme/boiler', 'acme/cellar', 'many/boiler']) {
    await gateway.room(room, [access as never])
  }
})
afterEach(() => {
  resetRawWebSockets()
  resetMqttClients()
})
afterAll(() => gateway.stop())

interface Guest {
  readonly token: Token
  readonly socket: RawWebSocket
  readonly device: MqttClient
}

/** A new token for the boiler, with a socket that has joined there and an MQTT client. */
async function guest(): Promise<Guest> {
  const token = await tokens.createToken({ parent, token: { grants: [boiler] } })
  const socket = await RawWebSocket.open(gateway.port)
  socket.packet(answer(1, token.secret), join(2, 'room:acme/boiler'))
  await socket.frames(2)
  const login = { username: 'acme', password: token.secret }
  return {
    token,
    socket,
    device: await MqttClient.connected(gateway.mqttPort, { version: 5, ...login }),
  }
}

describe('a token', () => {
  test.each(['regenerateToken', 'revokeToken', 'deleteToken'] as const)(
    'drops its sockets by %s (K8)',
    async (method) => {
      const { token, socket, device } = await guest()
      const ends = Promise.all([dropped(socket), device.rest()])
      const at = performance.now()
      await tokens[method]({ name: token.name })
      const [{ code }, packets] = await ends
      expect(performance.now() - at).toBeLessThan(FELT.timeout)
      expect(code).toBe('REVOKED')
      expect(packets.at(-1)).toMatchObject({ cmd: 'disconnect' })
    },
  )

  test('has its sockets in another room once it is given that (A5)', async () => {
    const { token, socket, device } = await guest()
    const publish = (room: string) => device.publish(`acme/${room}`, 'hi', { qos: 1 })
    expect(await publish('cellar')).toBe(NOT_AUTHORIZED)
    expect(await publish('boiler')).toBeLessThan(0x80)
    expect(brief(await socket.frame())).toBe('0 envelope hi')
    await tokens.updateToken({ token: { name: token.name, grants: [cellar] } })
    await vi.waitFor(async () => {
      expect(await publish('cellar')).toBeLessThan(0x80)
      expect(await publish('boiler')).toBe(NOT_AUTHORIZED)
    }, FELT)
    const told = [brief(await socket.frame()), brief(await socket.frame())]
    expect(told.sort()).toEqual(['0 joined room:acme/cellar', '0 left room:acme/boiler'])
  })
})

const MANY = 100_000
const PAGE = 1_000
/** One token in so many is granted something. */
const GRANTED = 10
/** One page in so many is measured, which takes its time. */
const MEASURED = 25
/** What one page may leave for the collector, and the whole list may keep: far below the list. */
const PAGE_BYTES_MAX = 32 * 1024 * 1024

test('100,000 tokens are listed page by page, in the memory of a page', async () => {
  await insertTokens()
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const used = () => process.memoryUsage().heapUsed
  collect()
  const before = used()
  const ofPages: number[] = []
  const seen = new Set<string>()
  let grants = 0
  let number = 0
  const pages = await pagesOf(async (pageToken) => {
    const query = { parent: 'accounts/many', pageSize: PAGE, pageToken }
    const isMeasured = number++ % MEASURED === 0
    if (isMeasured) collect()
    const start = used()
    const { tokens: page, nextPageToken } = await tokens.listTokens(query)
    if (isMeasured) ofPages.push(used() - start)
    for (const token of page) {
      seen.add(token.name)
      grants += token.grants.length
    }
    return { items: [page.length], nextPageToken }
  })
  collect()
  expect(pages.flat()).toEqual(Array(MANY / PAGE).fill(PAGE))
  expect([seen.size, grants]).toEqual([MANY, MANY / GRANTED])
  expect(Math.max(...ofPages)).toBeLessThan(PAGE_BYTES_MAX)
  // The names alone are about 13 MB.
  expect(used() - before).toBeLessThan(PAGE_BYTES_MAX)
}, 60_000)

async function insertTokens(): Promise<void> {
  const room = await gateway.store.rooms.head('many', 'boiler')
  await gateway.inSql(async (sql) => {
    // Nobody is to hear of each.
    await sql`alter table tokens disable trigger tokens_notify`
    await sql`alter table token_grants disable trigger token_grants_notify`
    await sql`
      with made as (
        insert into tokens (id, account_id, hash, created_at)
        select gen_random_uuid(), ${room!.account.id}, sha256('none'),
          now() - n % 1000 * interval '1 s'
        from generate_series(1, ${MANY}::integer) n returning id
      ),
      numbered as (select id, row_number() over () from made)
      insert into token_grants (token_id, room_id, send, receive)
      select id, ${room!.id}, true, true from numbered where row_number % ${GRANTED} = 0`
    await sql`analyze tokens, token_grants`
  })
}
