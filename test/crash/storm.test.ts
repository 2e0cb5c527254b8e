/** P-9: all clients come back at once, each proves who it is, and goes on where it was. */
import { randomBytes, randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { newToken } from '../../gateway/identity/tokens.ts'
import { openStore } from '../../gateway/store/postgres/open.ts'
import { Crowd } from './load/crowd.ts'
import { DURABLE, House } from './load/house.ts'
import { rounds } from './load/random.ts'
import { percentile, report } from './load/report.ts'
import { Subscriber } from './load/subscriber.ts'

/** 5,000 under `make crash`. */
const CLIENTS = rounds(20) >= 100 ? 5_000 : 400
/** All of it goes to each of them. */
const PER_SECOND = CLIENTS > 1_000 ? 4 : 20

/** Secrets of tokens of their own, which may listen in a room. */
async function tokens(data: string, count: number): Promise<string[]> {
  const store = await openStore({ dataDir: data, log: pino({ level: 'silent' }) })
  const rights = { send: true, receive: true, admit: false, channels: [] }
  const make = async () => {
    const { id, hash, secret } = newToken(randomUUID(), randomBytes(32))
    await store.tokens.create({ id, hash, account: 'acme', grants: [{ room: 'hall', ...rights }] })
    return secret
  }
  const secrets: string[] = []
  while (secrets.length < count) {
    secrets.push(...(await Promise.all(Array.from({ length: 100 }, make))))
  }
  return store.close().then(() => secrets.slice(0, count))
}

test('everybody comes back', { timeout: 240_000 }, async () => {
  const house = await House.build({ rooms: { board: [DURABLE], hall: [DURABLE] } })
  onTestFinished(() => house.close())
  const secrets = await tokens(house.data, CLIENTS)
  await house.start()
  const crowd = await Crowd.gather({ house, rooms: ['board', 'hall'], perSecond: PER_SECOND })
  const { journal } = crowd
  const clients = secrets.map((token, i) => {
    const way = { url: house.way.url, token, pause: () => 20 + Math.random() * 1_000 }
    return new Subscriber({ way, journal, room: 'acme/hall', name: `c${i}` })
  })
  crowd.subscribers.push(...clients)
  await crowd.live()
  const shown = journal.plan('kill -9 with all clients there')
  await house.kill()
  shown()
  await house.start()
  const startedAt = performance.now()
  await crowd.hearsAfter(startedAt)
  const lines = clients.map(({ line }) => line)
  for (const { connections } of lines) expect(connections).toBeGreaterThan(1)
  const entered = lines.map(({ entered }) => entered)
  const verdict = await crowd.judge()
  report('P-9 reconnect storm', {
    clients: CLIENTS,
    ...crowd.figures(verdict),
    'all back ms': Math.max(...entered.map(({ at }) => at)) - startedAt,
    'entry p50 ms': percentile(
      entered.map(({ from, at }) => at - from),
      50,
    ),
    'p99 ms': percentile(
      entered.map(({ from, at }) => at - from),
      99,
    ),
  })
  expect(verdict.complaints).toEqual([])
})
