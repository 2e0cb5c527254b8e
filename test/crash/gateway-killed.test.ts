/**
 * P-1: kill -9 of the gateway at random moments under load. Whatever it acknowledged as stored is
 * there once, in order, and reaches every durable subscriber exactly once.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { DebianServer } from '../store/debian.ts'
import { Crowd } from './load/crowd.ts'
import { DURABLE, House, type HouseOptions } from './load/house.ts'
import { EmbeddedPostgres } from './load/postgres.ts'
import { rounds, seed, seeded } from './load/random.ts'
import { percentile, report } from './load/report.ts'

const PER_SECOND = 2_000
/** A round's moment lies between these, in ms after all subscribers are live. */
const MOMENT_MIN = 100
const MOMENT_MAX = 700

interface Rounds extends Partial<HouseOptions> {
  readonly count: number
  /** PostgreSQL and its supervisor are killed with the gateway. */
  readonly everything?: boolean
}

async function killRounds(name: string, { count, everything, ...options }: Rounds) {
  const random = seeded(seed)
  const house = await House.build({ rooms: { board: [DURABLE], yard: [DURABLE] }, ...options })
  onTestFinished(() => house.close())
  await house.start()
  const crowd = await Crowd.gather({ house, rooms: ['board', 'yard'], perSecond: PER_SECOND })
  const recovered: number[] = []
  for (let round = 1; round <= count; round++) {
    const shown = crowd.journal.plan(`kill -9 in round ${round}`)
    await crowd.live()
    await delay(MOMENT_MIN + random() * (MOMENT_MAX - MOMENT_MIN))
    const isUnderLoad = crowd.isSending
    const killedAt = performance.now()
    await Promise.all([
      house.kill(),
      everything && new EmbeddedPostgres(house.data).crash('all, with its supervisor'),
    ])
    if (isUnderLoad) shown()
    await house.start()
    recovered.push((await crowd.hearsAfter(killedAt)) - killedAt)
  }
  const verdict = await crowd.judge()
  report(`P-1 gateway kill -9, ${name}`, {
    rounds: count,
    ...crowd.figures(verdict),
    'recovered p50 ms': percentile(recovered, 50),
    'p95 ms': percentile(recovered, 95),
    seed: `${seed}`,
  })
  expect(verdict.complaints, `seed ${seed}`).toEqual([])
  expect(crowd.journal.sent.filter(({ stored }) => stored).length).toBeGreaterThan(count * 100)
}

const PATIENCE_MS = 30_000 + rounds(20) * 10_000

test('on the embedded PostgreSQL', { timeout: PATIENCE_MS }, () =>
  killRounds('embedded', { count: rounds(20) }),
)

test('with PostgreSQL at the same moment', { timeout: PATIENCE_MS }, () =>
  killRounds('and PostgreSQL', { count: rounds(4), everything: true }),
)

test('on a server', { timeout: PATIENCE_MS }, async () => {
  const server = await DebianServer.start()
  onTestFinished(() => server.stop())
  await killRounds('server', { count: rounds(4), databaseUrl: server.options.url })
})
