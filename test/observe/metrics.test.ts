/** The page that Prometheus scrapes: who may, what is on it, and that it tells what happened. */
import { randomUUID } from 'node:crypto'
import { AccountService } from '@porthouse/proto/admin/v1/account_service'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { type Client, connect, token } from '../../clients/ts/src/index.ts'
import { FAMILIES, LABELS } from '../../gateway/observe/metrics/families.ts'
import { guardedBy } from '../support/access.ts'
import { adminClient } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'
import { MqttClient, resetMqttClients } from '../support/mqtt-client.ts'
import { block, DURABLE } from '../support/past.ts'
import { fetchMetrics, type Scraped, scrape } from '../support/scrape.ts'

let gateway: TestGateway
const clients: Client[] = []

beforeAll(async () => {
  gateway = await TestGateway.start({ metrics: { listen: '127.0.0.1:0' } })
})
afterEach(async () => {
  resetMqttClients()
  await Promise.all(clients.splice(0).map((client) => client.close()))
})
afterAll(() => gateway?.stop())

const page = () => scrape(gateway.metricsPort)

async function enters(path: string, secret?: string): Promise<Client> {
  const locks = secret === undefined ? [] : [token(secret)]
  const client = await connect(`${gateway.url}${path}`, { locks, backoff: { baseMs: 10 } })
  clients.push(client)
  return client
}

/** What has risen while something was done; waits until it has. */
async function rises(
  name: string,
  labels: Record<string, string>,
  by: number,
  does: () => Promise<unknown>,
): Promise<void> {
  const before = (await page()).of(name, labels)
  await does()
  await vi.waitFor(async () => expect((await page()).of(name, labels) - before).toBe(by))
}

describe('who may', () => {
  test('everybody on a listener of its own, where nothing else is', async () => {
    const { metricsPort } = gateway
    expect((await fetchMetrics(metricsPort)).headers.get('content-type')).toMatch(/^text\/plain/)
    expect((await fetch(`http://127.0.0.1:${metricsPort}/v1/login/a/b`)).status).toBe(404)
  })

  test('the operator, and an auditor of the gateway, on the port of HTTP', async () => {
    for (const key of [await gateway.operatorKey(), await gateway.apiKey('auditor')]) {
      expect((await scrape(gateway.port, key)).of('porthouse_build_info')).toBe(1)
    }
  })

  test('nobody else there', async () => {
    await gateway.room('who/may')
    const refused = [undefined, 'pho_wrong', await gateway.token('who', ['may'])]
    const keys = [await gateway.apiKey('owner', 'who'), await gateway.apiKey('auditor', 'who')]
    const statuses = [...refused, ...keys].map(async (key) => {
      return (await fetchMetrics(gateway.port, key)).status
    })
    expect(await Promise.all(statuses)).toEqual([401, 401, 403, 403, 403])
  })

  test('nobody anywhere where the feature is off', async () => {
    const settings = { features: '-metrics', metrics: { listen: '127.0.0.1:0' } }
    const without = await gateway.beside(settings as never)
    const key = await gateway.operatorKey()
    expect((await fetchMetrics(without.port, key)).status).toBe(404)
    expect(() => without.metricsPort).toThrow('off')
    await without.stop()
  })
})

describe('the page', () => {
  test('has every metric of the table, by its type and labels, and no other', async () => {
    const { text, series } = await page()
    const types = [...text.matchAll(/^# TYPE (porthouse_\w+) (\w+)$/gm)]
    expect(types.map(([, name, type]) => ({ name, type }))).toEqual(
      FAMILIES.map(({ name, type }) => ({ name, type })),
    )
    for (const { name, labels } of series.filter((each) => each.name.startsWith('porthouse_'))) {
      const family = FAMILIES.find((each) => name.replace(/_(bucket|sum|count)$/, '') === each.name)
      const known = FAMILIES.find((each) => each.name === name) ?? family
      const le = known?.type === 'histogram' && name.endsWith('_bucket') ? ['le'] : []
      expect([name, Object.keys(labels).sort()]).toEqual([
        name,
        [...(known?.labels ?? []), ...le].sort(),
      ])
    }
  })

  test('has labels whose values are told', () => {
    const used = FAMILIES.flatMap(({ labels = [] }) => labels)
    expect(new Set([...used, 'le'])).toEqual(new Set(Object.keys(LABELS)))
  })

  test('tells gateways with other settings apart, and no password', async () => {
    const digest = ({ series }: Scraped) =>
      series.find(({ name }) => name === 'porthouse_config_info')?.labels.digest
    const settings = { metrics: { listen: '127.0.0.1:0' }, heartbeatMs: 12_345 }
    const other = await gateway.beside(settings)
    expect(digest(await scrape(other.metricsPort))).not.toBe(digest(await page()))
    await other.stop()
  })
})

describe('what happened', () => {
  test('sockets and rooms come and go', async () => {
    await gateway.room('acme/hall')
    const secret = await gateway.token('acme', ['hall'])
    const before = await page()
    const client = await enters('/acme/hall', secret)
    const during = await page()
    const unlocked = { medium: 'websocket', state: 'unlocked' }
    const grown = (name: string, labels = {}) => during.of(name, labels) - before.of(name, labels)
    expect(grown('porthouse_sockets', unlocked)).toBe(1)
    expect(grown('porthouse_sockets_opened_total', { medium: 'websocket' })).toBe(1)
    expect(grown('porthouse_rooms')).toBe(1)
    expect(grown('porthouse_memberships')).toBe(1)
    expect(grown('porthouse_connections')).toBeGreaterThanOrEqual(1)
    await client.close()
    await vi.waitFor(async () => {
      const after = await page()
      expect(after.of('porthouse_sockets', unlocked)).toBe(before.of('porthouse_sockets', unlocked))
      expect(after.of('porthouse_rooms')).toBe(before.of('porthouse_rooms'))
    })
  })

  test('messages, bytes and receipts, by medium', async () => {
    await gateway.room('acme/talk')
    const secret = await gateway.token('acme', ['talk'])
    const [ann, ben] = [await enters('/acme/talk', secret), await enters('/acme/talk', secret)]
    const device = await MqttClient.connected(gateway.mqttPort, {
      username: 'acme',
      password: secret,
    })
    device.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'acme/talk', qos: 0 }] })
    await device.next('suback')
    const before = await page()
    await ann.entered?.send('to two of them')
    const heard = await device.next('publish')
    device.send({
      cmd: 'publish',
      topic: 'acme/talk',
      payload: 'x',
      qos: 1,
      messageId: 2,
      dup: false,
      retain: false,
    })
    await device.next('puback')
    await ben.entered?.send('again')
    await vi.waitFor(async () => {
      const after = await page()
      const grown = (name: string, labels = {}) => after.of(name, labels) - before.of(name, labels)
      expect(grown('porthouse_messages_received_total', { medium: 'websocket' })).toBe(2)
      expect(grown('porthouse_messages_received_total', { medium: 'mqtt' })).toBe(1)
      expect(grown('porthouse_messages_sent_total', { medium: 'websocket' })).toBe(4)
      expect(grown('porthouse_messages_sent_total', { medium: 'mqtt' })).toBe(3)
      expect(grown('porthouse_receipts_total', { status: 'routed' })).toBe(3)
      for (const way of ['received', 'sent']) {
        for (const medium of ['websocket', 'mqtt']) {
          expect(grown(`porthouse_${way}_bytes_total`, { medium })).toBeGreaterThan(10)
        }
      }
    })
    expect(heard.payload.toString()).toBe('to two of them')
  })

  test('JSON and the teleprinter are media of their own', async () => {
    for (const [medium, protocols] of [
      ['websocket-json', ['porthouse.v1.json']],
      ['teleprinter', []],
    ] as const) {
      await rises('porthouse_sockets', { medium, state: 'limbo' }, 1, async () => {
        const socket = new WebSocket(`${gateway.url}/v1/ws`, [...protocols])
        socket.on('error', () => undefined)
        await new Promise((resolve) => socket.once('open', resolve))
      })
    }
  })

  test('logins, right and wrong, and who stays out', async () => {
    await gateway.room('acme/door', [guardedBy('token')])
    const secret = await gateway.token('acme', ['door'])
    const logins = 'porthouse_logins_total'
    const passed = { acceptor: 'token', outcome: 'passed' }
    await rises(logins, passed, 1, () => enters('/acme/door', secret))
    const wrong = `pht_${randomUUID().replaceAll('-', '')}_${'A'.repeat(43)}`
    const failed = { acceptor: 'token', outcome: 'failed' }
    const staysOut = () => enters('/acme/door', wrong).catch(() => undefined)
    await rises(logins, failed, 1, () => rises('porthouse_locked_out_total', {}, 0, staysOut))
  })

  test('what is refused, by its code and what it was', async () => {
    await gateway.room('acme/small', [block('limits', { payloadBytes: 10 })])
    const ann = await enters('/acme/small', await gateway.token('acme', ['small']))
    const refusals = 'porthouse_refusals_total'
    await rises(refusals, { of: 'message', code: 'PAYLOAD_TOO_LARGE' }, 1, async () => {
      await ann.entered?.send('more than ten bytes').catch(() => undefined)
    })
    await rises(refusals, { of: 'request' }, 1, async () => {
      await ann.join('room:acme/nowhere').catch(() => undefined)
    })
    await rises(refusals, { of: 'http', code: 'PATH_UNKNOWN' }, 1, async () => {
      await fetch(`http://127.0.0.1:${gateway.port}/nowhere`)
    })
    await rises(refusals, { of: 'http', code: 'SUBPROTOCOL_UNSUPPORTED' }, 1, async () => {
      const socket = new WebSocket(`${gateway.url}/v1/ws`, 'unknown')
      await new Promise((resolve) => socket.once('error', resolve))
    })
    await rises(refusals, { of: 'connection', code: 'WRONG_DATA_TYPE' }, 1, async () => {
      const socket = new WebSocket(`${gateway.url}/v1/ws`, 'porthouse.v1')
      socket.once('open', () => socket.send('text'))
      await new Promise((resolve) => socket.once('close', resolve))
    })
  })

  test('administration, by method and what it was answered', async () => {
    const requests = 'porthouse_admin_requests_total'
    const method = 'AccountService/ListAccounts'
    const by = async (key: string | undefined) => {
      await adminClient(AccountService, gateway, key)
        .listAccounts({})
        .catch(() => undefined)
    }
    const key = await gateway.operatorKey()
    await rises(requests, { method, code: 'ok' }, 1, () => by(key))
    await rises(requests, { method, code: 'UNAUTHENTICATED' }, 2, async () => {
      await by(undefined)
      await by('pha_wrong')
    })
    expect((await page()).of('porthouse_admin_seconds_count', { method })).toBeGreaterThanOrEqual(3)
  })

  test('the store, and what it commits', async () => {
    await gateway.room('acme/book', [DURABLE])
    const ann = await enters('/acme/book', await gateway.token('acme', ['book']))
    await rises('porthouse_history_commit_seconds_count', {}, 1, async () => {
      await ann.entered?.send('for good')
    })
    const scraped = await page()
    expect(scraped.of('porthouse_history_batch_messages_sum')).toBeGreaterThanOrEqual(1)
    const append = { method: 'histories.append', outcome: 'ok' }
    expect(scraped.of('porthouse_store_calls_total', append)).toBeGreaterThanOrEqual(1)
    const seconds = { method: 'rooms.find', le: '+Inf' }
    expect(scraped.of('porthouse_store_seconds_bucket', seconds)).toBeGreaterThanOrEqual(1)
    expect(scraped.of('porthouse_history_queue_messages')).toBe(0)
  })
})

/** More than the series that come by themselves: one of each would show. */
const STRANGERS = 60

test('names of others make no series, however many there are (L11, S3)', async () => {
  await gateway.room('acme/first-of-many')
  const secret = await gateway.token('acme', ['first-of-many'])
  const says = async (room: string, client: string) => {
    const device = await MqttClient.connected(gateway.mqttPort, {
      clientId: client,
      username: 'acme',
      password: secret,
    })
    const publish = { cmd: 'publish', payload: client, dup: false, retain: false } as const
    device.send({ ...publish, topic: `acme/${room}/${client}`, qos: 0 })
    device.send({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [{ topic: `acme/${room}`, qos: 0 }],
    })
    await device.next('suback')
  }
  await says('first-of-many', 'stranger')
  const before = await page()
  for (let i = 0; i < STRANGERS; i++) {
    await says(i % 2 ? 'first-of-many' : `stray-${i}`, `stranger-${i}`)
    await fetch(`http://127.0.0.1:${gateway.port}/stranger-${i}`)
  }
  const after = await page()
  // Some kinds of store calls are made for the first time meanwhile, a histogram each.
  expect(after.series.length - before.series.length).toBeLessThan(STRANGERS)
  for (const name of ['stranger', 'first-of-many', 'stray', 'acme', secret.slice(-43)]) {
    expect(after.text).not.toContain(name)
  }
})
