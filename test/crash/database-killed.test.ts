/**
 * P-2: PostgreSQL is killed, or stopped at once, and stays down for some seconds. Nothing is
 * acknowledged meanwhile, what is sent is refused in time, what needs no store goes on, and all is
 * well by itself afterwards.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { DebianServer } from '../store/debian.ts'
import { Crowd } from './load/crowd.ts'
import { DURABLE, House } from './load/house.ts'
import { CRASHES, EmbeddedPostgres, type Postgres } from './load/postgres.ts'
import { Pulse } from './load/pulse.ts'
import { rounds, seed, seeded } from './load/random.ts'
import { percentile, report } from './load/report.ts'

const PER_SECOND = 1_000
const DOWN_MS = 5_000
/** A message is answered within this, whatever the store does. */
const ANSWER_MS_MAX = 2_000
const MEMORY_MAX = 64 * 1024 * 1024

const rooms = { board: [DURABLE], yard: [] }

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function outage(name: string, house: House, postgres: Postgres, signal: Signal) {
  await house.start()
  const crowd = await Crowd.gather({ house, rooms: ['board'], perSecond: PER_SECOND })
  const pulse = new Pulse(house.way, 'acme/yard')
  onTestFinished(() => pulse.close())
  const shown = crowd.journal.plan(`${signal} of PostgreSQL`)
  await crowd.stores()
  await delay(500)
  const before = house.memory
  await postgres.fall(signal)
  const downAt = performance.now()
  shown()
  const memory: number[] = []
  const watch = setInterval(() => memory.push(house.memory), 100)
  await delay(DOWN_MS)
  const upFrom = performance.now()
  await postgres.rise()
  const upAt = performance.now()
  clearInterval(watch)
  const heardAt = await crowd.hearsAfter(upFrom)
  const verdict = await crowd.judge()

  const acks = crowd.publishers.flatMap((one) => one.acks)
  const refusals = crowd.publishers.flatMap((one) => one.refusals)
  const isDown = ({ sentAt }: { sentAt: number }) => sentAt > downAt && sentAt < upFrom
  const early = refusals.filter(({ sentAt }) => sentAt < upFrom - ANSWER_MS_MAX).filter(isDown)
  const beats = pulse.between(downAt, upFrom)
  const grown = Math.max(...memory) - before
  report(`P-2 PostgreSQL ${signal}, ${name}`, {
    'down ms': DOWN_MS,
    ...crowd.figures(verdict),
    'refused in ms p50': percentile(
      early.map(({ ms }) => ms),
      50,
    ),
    'at most': Math.max(...early.map(({ ms }) => ms)),
    'transient p99 ms': percentile(beats, 99),
    'memory KiB': grown / 1024,
    'recovered ms': heardAt - upAt,
  })
  expect(verdict.complaints).toEqual([])
  expect(acks.filter((ack) => isDown(ack) && ack.at < upFrom)).toEqual([])
  const codes = [...new Set(refusals.map(({ code }) => code))].sort()
  expect(['UNAVAILABLE', 'UNCERTAIN']).toEqual(expect.arrayContaining(codes))
  expect(early.filter(({ ms, sentAt }) => sentAt + ms > upFrom)).toEqual([])
  expect(early.length).toBeGreaterThan(PER_SECOND)
  expect(beats.length).toBeGreaterThan(DOWN_MS / 100)
  expect(grown).toBeLessThan(MEMORY_MAX)
  // The gateway itself has neither ended nor been asked to.
  expect(house.isRunning).toBe(true)
}

type Signal = 'SIGKILL' | 'SIGQUIT'

/** SIGQUIT is what `pg_ctl stop -m immediate` sends. */
test.each<Signal>(['SIGKILL', 'SIGQUIT'])(
  'the embedded one, by %s',
  { timeout: 30_000 + rounds(1) * 60_000 },
  async (signal) => {
    for (let round = 0; round < rounds(1); round++) {
      const house = await House.build({ rooms })
      closing.push(() => house.close())
      await outage('embedded', house, new EmbeddedPostgres(house.data), signal)
    }
  },
)

test('at random moments, again and again', { timeout: 90_000 + rounds(20) * 10_000 }, async () => {
  const random = seeded(seed)
  const count = rounds(20)
  const house = await House.build({ rooms })
  closing.push(() => house.close())
  await house.start()
  const crowd = await Crowd.gather({ house, rooms: ['board'], perSecond: 2 * PER_SECOND })
  const recovered: number[] = []
  for (let round = 0; round < count; round++) {
    const which = CRASHES[round % CRASHES.length]!
    const shown = crowd.journal.plan(`end of ${which} in round ${round + 1}`)
    await delay(100 + random() * 400)
    const isUnderLoad = crowd.isSending
    const at = performance.now()
    await new EmbeddedPostgres(house.data).crash(which)
    if (isUnderLoad) shown()
    recovered.push((await crowd.stores()) - at)
  }
  const verdict = await crowd.judge()
  report('P-2 PostgreSQL killed at random moments', {
    rounds: count,
    ...crowd.figures(verdict),
    'recovered p50 ms': percentile(recovered, 50),
    'p95 ms': percentile(recovered, 95),
    seed: `${seed}`,
  })
  expect(verdict.complaints, `seed ${seed}`).toEqual([])
  expect(house.isRunning).toBe(true)
})

test('a server', { timeout: 90_000 }, async () => {
  const server = await DebianServer.start()
  closing.push(() => server.stop())
  const house = await House.build({ rooms, databaseUrl: server.options.url })
  closing.push(() => house.close())
  const postgres = { pids: [], fall: () => server.fall(), rise: () => server.run() }
  await outage('server', house, postgres, 'SIGQUIT')
})
