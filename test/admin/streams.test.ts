/** Streams of the admin API: how many there may be, and that nothing stays of those that end. */
import { setImmediate } from 'node:timers/promises'
import {
  type Client,
  createContextValues,
  type StreamRequest,
  type StreamResponse,
} from '@connectrpc/connect'
import { SocketService } from '@porthouse/proto/admin/v1/socket_service'
import { StatsService } from '@porthouse/proto/admin/v1/stats_service'
import { TechnicalService } from '@porthouse/proto/admin/v1/technical_service'
import { Health } from '@porthouse/proto/grpc/health/v1/health'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { remoteKey } from '../../gateway/admin/calls/call.ts'
import { Streams } from '../../gateway/admin/calls/streams.ts'
import { adminClient, failure } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'

const STREAMS = 1_000
/** Of a busy machine. */
const PATIENCE = { timeout: 20_000 }

let gateway: TestGateway
let technical: Client<typeof TechnicalService>
let sockets: Client<typeof SocketService>
let stats: Client<typeof StatsService>

beforeAll(async () => {
  const streams = { max: STREAMS, perCaller: STREAMS, strangers: STREAMS }
  gateway = await TestGateway.start({ features: ['admin'], admin: { streams } } as never)
  await gateway.store.accounts.create({ slug: 'acme' })
  const key = await gateway.operatorKey()
  technical = adminClient(TechnicalService, gateway, key)
  sockets = adminClient(SocketService, gateway, key)
  stats = adminClient(StatsService, gateway, key)
})
afterAll(() => gateway.stop())

type Open = (signal: AbortSignal) => AsyncIterable<unknown>

/** Resolves when it has its first answer. */
async function opened(open: Open): Promise<AbortController> {
  const controller = new AbortController()
  const answers = open(controller.signal)[Symbol.asyncIterator]()
  await answers.next()
  answers.next().catch(() => undefined)
  return controller
}

const KINDS: readonly Open[] = [
  (signal) => technical.watchTechnical({ parent: '-' }, { signal }),
  (signal) => sockets.watchSockets({ parent: '-' }, { signal }),
  (signal) => stats.watchStats({ name: '-' }, { signal }),
  (signal) => adminClient(Health, gateway, undefined).watch({}, { signal }),
]

const timers = () => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length

test(`${STREAMS} of them, opened and abandoned, leave nothing behind`, async () => {
  const before = timers()
  for (let round = 0; round < 2; round++) {
    // As many as there may be: had one of the last round left anything, one would be refused.
    const all = await Promise.all(
      Array.from({ length: STREAMS }, (_, i) => opened(KINDS[i % KINDS.length] as Open)),
    )
    const refused = await failure(opened(KINDS[0] as Open))
    expect(refused.code).toBe('CONNECTION_LIMIT')
    for (const controller of all) controller.abort()
    const isFree = async () => {
      const one = await opened(KINDS[1] as Open).catch(() => undefined)
      one?.abort()
      return one !== undefined
    }
    await expect.poll(isFree, PATIENCE).toBe(true)
    await expect.poll(timers, PATIENCE).toBeLessThanOrEqual(before + 2)
  }
}, 60_000)

describe('one caller', () => {
  test('has a bound of his own', async () => {
    const beside = await gateway.beside({ admin: { streams: { perCaller: 2 } } })
    const [one, other] = [await gateway.apiKey('auditor'), await gateway.apiKey('auditor')]
    const open = (key: string) => {
      const client = adminClient(TechnicalService, beside, key)
      return opened((signal) => client.watchTechnical({ parent: '-' }, { signal }))
    }
    const own = [await open(one), await open(one)]
    expect((await failure(open(one))).code).toBe('CONNECTION_LIMIT')
    own.push(await open(other))
    for (const each of own) each.abort()
    await beside.stop()
  })

  test('who reads nothing of a stream and goes leaves its place to others', async () => {
    const streams = new Streams({ max: 1, perCaller: 1, strangers: 1 })
    const gone = new AbortController()
    const contextValues = createContextValues().set(remoteKey, '192.0.2.1')
    const request = { stream: true, contextValues, signal: gone.signal } as StreamRequest
    async function* message() {
      yield {}
    }
    const next = async () => ({ stream: true, message: message() }) as unknown as StreamResponse
    const response = (await streams.interceptor(next as never)(request)) as StreamResponse
    await response.message[Symbol.asyncIterator]().next()
    expect(streams.count).toBe(1)
    // Nobody asks for the next answer any more, nor says that he will not.
    gone.abort()
    await setImmediate()
    expect(streams.count).toBe(0)
  })
})
