/** A feature that is off is not there: no port, no path, no timer, no module (R47). */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Settings } from '../../gateway/config/config.ts'
import { TestGateway } from '../support/gateway.ts'
import { encodeHandshake, exchange, resetRawWebSockets } from '../support/raw-websocket.ts'

const NOTHING = ['mqtt', '-mqtt']
const folder = join(import.meta.dirname, '../../gateway')
const others: TestGateway[] = []
let base: TestGateway

beforeAll(async () => {
  base = await TestGateway.start({ features: NOTHING })
})
afterEach(async () => {
  vi.restoreAllMocks()
  resetRawWebSockets()
  await Promise.all(others.splice(0).map((other) => other.stop()))
})
afterAll(() => base.stop())

async function having(features: Settings['features']): Promise<TestGateway> {
  const gateway = await base.beside({ features })
  others.push(gateway)
  return gateway
}

/** The status that a gateway answers a request or an upgrade with. */
async function status({ port }: TestGateway, ask: Ask): Promise<number> {
  if (ask.protocol !== undefined) {
    const handshake = { path: ask.path, protocol: ask.protocol, headers: {} }
    // What is upgraded stays open; a frame that is not masked ends it.
    const bytes = Buffer.concat([Buffer.from(encodeHandshake(handshake)), Buffer.from([0x82, 0])])
    return Number((await exchange(port, bytes)).slice(9, 12))
  }
  const url = `http://127.0.0.1:${port}${ask.path}`
  const { method = 'GET' } = ask
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method, headers, ...(method === 'POST' && { body: '{}' }) })
  return answer.status
}

interface Ask {
  readonly path: string
  readonly method?: string
  /** Of a WebSocket. */
  readonly protocol?: string
}

/** A way to each feature that has one, and how it is answered where it is on. */
const WAYS: [feature: string, ask: Ask, on: number][] = [
  ['websocket', { path: '/v1/ws', protocol: 'porthouse.v1' }, 101],
  ['mqtt', { path: '/mqtt', protocol: 'mqtt' }, 101],
  ['login', { path: '/v1/login/callback' }, 401],
  ['login', { path: '/v1/logout', method: 'POST' }, 403],
  ['admin', { path: '/porthouse.admin.v1.AccountService/ListAccounts', method: 'POST' }, 401],
  ['messages', { path: '/v1/messages', method: 'POST' }, 401],
  ['metrics', { path: '/metrics' }, 401],
]

test.each(WAYS)('%s: %j is answered with it alone', async (feature, ask, on) => {
  expect(await status(base, ask)).toBe(404)
  expect(await status(await having([feature]), ask)).toBe(on)
  expect(await status(await having(['all', `-${feature}`]), ask)).toBe(404)
})

test('what explains messages is there with administration and why, and not without', async () => {
  const ask = { path: '/porthouse.admin.v1.ExplainService/ExplainMessage', method: 'POST' }
  expect(await status(await having(['why']), ask)).toBe(404)
  expect(await status(await having(['admin']), ask)).toBe(404)
  expect(await status(await having(['admin', 'why']), ask)).toBe(401)
})

test('health is always there', async () => {
  expect(await status(base, { path: '/healthz' })).toBe(200)
  expect(await status(base, { path: '/readyz' })).toBe(200)
})

test('ports are of what is on', async () => {
  const listen = '127.0.0.1:0'
  const apart = { admin: { listen }, metrics: { listen } }
  const other = await base.beside({ ...apart, features: NOTHING })
  others.push(other)
  expect(other.endpoints).toEqual({ http: expect.anything() })
  const full = await base.beside({ ...apart, features: ['mqtt-front'] })
  others.push(full)
  expect(Object.keys(full.endpoints)).toEqual(['http', 'admin', 'metrics', 'mqtt'])
})

describe('timers', () => {
  /** The folders of the gateway that begin timers while one with these features starts. */
  async function timersOf(features: string[]): Promise<string[]> {
    const began = new Set<string>()
    for (const name of ['setInterval', 'setTimeout'] as const) {
      const real = globalThis[name] as (...args: unknown[]) => unknown
      vi.spyOn(globalThis, name).mockImplementation(((...args: unknown[]) => {
        const caller = new Error().stack?.split('\n').find((line) => line.includes(folder)) ?? ''
        const path = caller.slice(caller.indexOf(folder) + folder.length + 1)
        if (path !== '') began.add(path.replace(/\/[^/]*$/, ''))
        return real(...args)
      }) as never)
    }
    await having(features)
    vi.restoreAllMocks()
    return [...began].toSorted()
  }

  test('are of what is on', async () => {
    const always = await timersOf(NOTHING)
    expect(always.filter((path) => /mqtt|admin|programs|why|websocket|login/.test(path))).toEqual(
      [],
    )
    expect(await timersOf(['mqtt', 'admin'])).toEqual(
      expect.arrayContaining(['admin', 'ingress/mqtt/listeners']),
    )
  })
})

describe('modules', () => {
  const run = promisify(execFile)
  const HEAVY =
    /node_modules\/(aedes|@connectrpc|prom-client|@opentelemetry\/sdk)|gateway\/admin\/s/

  async function heavyOf(features: string): Promise<string[]> {
    const script = join(import.meta.dirname, 'loaded.ts')
    const { stdout } = await run(process.execPath, [script, features], { maxBuffer: 1 << 24 })
    return stdout.split('\n').filter((url) => HEAVY.test(url))
  }

  test('are of what is on', async () => {
    expect(await heavyOf('mqtt,-mqtt')).toEqual([])
    const ofMqtt = await heavyOf('mqtt')
    expect(ofMqtt).toContainEqual(expect.stringContaining('/aedes/'))
    expect(ofMqtt.filter((url) => !/aedes/.test(url))).toEqual([])
  })
})
