/**
 * P-16: load for a while with clients that come and go. What the gateway holds does not grow: its
 * memory, its descriptors; and nothing is lost. CRASH_MINUTES says how long, a sixth of a minute
 * where it is absent.
 */
import { readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Crowd } from './load/crowd.ts'
import { DURABLE, House } from './load/house.ts'
import { seed, seeded } from './load/random.ts'
import { percentile, report } from './load/report.ts'

const MIB = 1024 * 1024
const MINUTES = Number(process.env.CRASH_MINUTES ?? 1 / 6)
const PER_SECOND = 500
const SUBSCRIBERS = 10
/** Of load, after each of which all is judged. */
const ROUND_MS = 60_000
/** One of them is cut each time. */
const CHURN_MS = 250
const SAMPLE_MS = 1_000
/** Connections that a gateway has to its database, made when they are needed. */
const DATABASE_MAX = 12

const random = seeded(seed)

/** Of a line through points a second apart, in units a minute. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let above = 0
  let below = 0
  for (const [i, value] of values.entries()) {
    above += (i - middle) * (value - mean)
    below += (i - middle) ** 2
  }
  return (above / below) * (60_000 / SAMPLE_MS)
}

test('load with clients that come and go', { timeout: MINUTES * 60_000 + 90_000 }, async () => {
  const house = await House.build({ rooms: { board: [DURABLE] } })
  onTestFinished(() => house.close())
  await house.start()
  const figures: Record<string, number> = {}
  const base: number[] = []
  const memory: number[] = []
  const p99: number[] = []
  const until = performance.now() + MINUTES * 60_000
  do {
    const ms = Math.min(ROUND_MS, until - performance.now())
    const { verdict, crowd, descriptors } = await round(house, ms, memory)
    base.push(descriptors)
    for (const [name, count] of Object.entries(crowd.figures(verdict))) {
      figures[name] = (figures[name] ?? 0) + count
    }
    p99.push(
      percentile(
        crowd.publishers.flatMap(({ acks }) => acks.map(({ ms }) => ms)),
        99,
      ),
    )
    expect(verdict.complaints, `seed ${seed}`).toEqual([])
  } while (performance.now() < until - SAMPLE_MS)
  report('P-16 churn', {
    minutes: MINUTES.toFixed(1),
    ...figures,
    'memory MiB': memory.at(-1)!,
    'MiB a minute': slope(memory.slice(memory.length / 3)).toFixed(1),
    'stored p99 first ms': p99[0]!,
    'and last': p99.at(-1)!,
    seed: `${seed}`,
  })
  expect(base.at(-1)).toBeLessThan(base[0]! + 5)
})

/** Load and churn; resolves with the descriptors in use when all have gone again. */
async function round(house: House, ms: number, memory: number[]) {
  const descriptors = () => readdirSync(`/proc/${house.pid}/fd`).length
  const before = descriptors()
  const crowd = await Crowd.gather({
    house,
    rooms: ['board'],
    perSecond: PER_SECOND,
    subscribers: SUBSCRIBERS,
  })
  const shown = crowd.journal.plan('clients that come and go')
  const sampling = setInterval(() => memory.push(house.memory / MIB), SAMPLE_MS)
  const until = performance.now() + ms
  for (let cuts = 0; performance.now() < until; cuts++) {
    await delay(CHURN_MS)
    crowd.subscribers[Math.trunc(random() * SUBSCRIBERS)]!.line.cut()
    if (cuts === 10) shown()
  }
  clearInterval(sampling)
  await crowd.live()
  const verdict = await crowd.judge()
  // Those of the clients that have gone are given back by and by; the database's may have come.
  await vi.waitFor(() => expect(descriptors()).toBeLessThan(before + DATABASE_MAX))
  return { verdict, crowd, descriptors: descriptors() }
}
