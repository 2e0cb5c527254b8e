/**
 * P-14: the gateway stands still for ten seconds, or its store does. Nobody is lost, nothing is
 * acknowledged that is not stored, and all goes on by itself.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type TestContext, test } from 'vitest'
import { Crowd } from './load/crowd.ts'
import { DURABLE, House } from './load/house.ts'
import { EmbeddedPostgres } from './load/postgres.ts'
import { report } from './load/report.ts'

const PER_SECOND = 500
const PAUSE_MS = 10_000

type OnTestFinished = TestContext['onTestFinished']

async function setUp(onTestFinished: OnTestFinished, env: Record<string, string> = {}) {
  const house = await House.build({ rooms: { board: [DURABLE] }, env })
  onTestFinished(() => house.close())
  await house.start()
  const crowd = await Crowd.gather({ house, rooms: ['board'], perSecond: PER_SECOND })
  await crowd.stores()
  return { house, crowd }
}

// Both at once: each stands still most of its time.
test.concurrent('a gateway that stood still', { timeout: 180_000 }, async ({
  expect,
  onTestFinished,
}) => {
  // Heartbeats that are due long before it wakes.
  const { house, crowd } = await setUp(onTestFinished, { PORTHOUSE_HEARTBEAT_MS: '2000' })
  const shown = crowd.journal.plan('SIGSTOP of the gateway')
  house.signal('SIGSTOP')
  const stoppedAt = performance.now()
  await delay(PAUSE_MS)
  const wakes = performance.now()
  house.signal('SIGCONT')
  const answers = crowd.publishers.flatMap(({ acks, refusals }) => [...acks, ...refusals])
  // What was on its way comes in the first moments; from then on there is silence.
  const silence = answers.filter(({ ms, sentAt }) => sentAt + ms > stoppedAt + 500)
  if (silence.length === 0) shown()
  const heardAt = await crowd.hearsAfter(wakes)
  const verdict = await crowd.judge()
  const lines = [...crowd.publishers, ...crowd.subscribers].map(({ line }) => line)
  const reconnected = lines.filter(({ connections }) => connections > 1)
  report('P-14 gateway paused', {
    'paused ms': PAUSE_MS,
    ...crowd.figures(verdict),
    reconnected: reconnected.length,
    'recovered ms': heardAt - wakes,
  })
  expect(verdict.complaints).toEqual([])
  expect(reconnected).toEqual([])
})

test.concurrent('a store that stands still', { timeout: 180_000 }, async ({
  expect,
  onTestFinished,
}) => {
  const { house, crowd } = await setUp(onTestFinished)
  const shown = crowd.journal.plan('SIGSTOP of PostgreSQL')
  const { pids } = new EmbeddedPostgres(house.data)
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  shown()
  const stoppedAt = performance.now()
  await delay(PAUSE_MS)
  const wakes = performance.now()
  for (const pid of pids) process.kill(pid, 'SIGCONT')
  const heardAt = await crowd.hearsAfter(wakes)
  const verdict = await crowd.judge()
  const acks = crowd.publishers.flatMap((one) => one.acks)
  const refusals = crowd.publishers.flatMap((one) => one.refusals)
  const meanwhile = refusals.filter(({ sentAt }) => sentAt > stoppedAt && sentAt < wakes - 2_000)
  report('P-14 store paused', {
    'paused ms': PAUSE_MS,
    ...crowd.figures(verdict),
    'refused in ms at most': Math.max(...meanwhile.map(({ ms }) => ms)),
    'recovered ms': heardAt - wakes,
  })
  expect(verdict.complaints).toEqual([])
  expect(acks.filter(({ sentAt, at }) => sentAt > stoppedAt && at < wakes)).toEqual([])
  expect(meanwhile.filter(({ sentAt, ms }) => sentAt + ms > wakes)).toEqual([])
  expect(meanwhile.length).toBeGreaterThan(PER_SECOND)
})
