/**
 * P-8: one of many stops to read. The others do not notice, the gateway keeps no more for it than
 * it is allowed to, and it gets everything once when it reads again, or is told what it lost.
 */
import type { Block } from '@porthouse/proto/room/v1/config'
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { expect, onTestFinished, test } from 'vitest'
import { Crowd } from './load/crowd.ts'
import { DURABLE, House } from './load/house.ts'
import { percentile, report } from './load/report.ts'

const MIB = 1024 * 1024
const PER_SECOND = 300
const BYTES = 8_192
/** More than what the kernel's buffers and an outbox take, all together. */
const WHILE = 16 * MIB
/** To see how long messages take while all read. */
const MESSAGES_BEFORE = 300

const slow = (policy: Policy): Block['kind'] => ({
  case: 'slowConsumers',
  value: { policy } as never,
})

test.each([
  ['dropped, and comes back for the rest', Policy.DISCONNECT],
  ['told what it lost', Policy.DROP_OLDEST],
])('one that does not read is %s', { timeout: 90_000 }, async (end, policy) => {
  const house = await House.build({ rooms: { board: [DURABLE, slow(policy)] } })
  onTestFinished(() => house.close())
  await house.start()
  const crowd = await Crowd.gather({
    house,
    rooms: ['board'],
    perSecond: PER_SECOND,
    bytes: BYTES,
    subscribers: 3,
  })
  const shown = crowd.journal.plan('a subscriber that does not read')
  const [lazy, ...others] = crowd.subscribers
  const hears = async (count: number) => {
    const delays: number[] = []
    await others[0]!.hears(({ at }) => delays.push(performance.now() - at) === count)
    return percentile(delays, 99)
  }
  const p99 = await hears(MESSAGES_BEFORE)
  const before = house.memory
  const { connections } = lazy!.line
  lazy!.line.pause()
  const p99Then = await hears(WHILE / BYTES)
  const grown = house.memory - before
  const dropped = others.filter(({ line }) => line.connections > 1)
  lazy!.line.resume()
  await crowd.stores()
  const mine = crowd.journal.hearings.find(({ subscriber }) => subscriber === lazy!.name)
  const notices = mine!.heard.filter(({ kind }) => kind === 'notice').length
  const cut = lazy!.line.connections - connections
  if (policy === Policy.DISCONNECT ? cut > 0 : notices > 0) shown()
  const verdict = await crowd.judge()
  report(`P-8 slow consumer, ${end}`, {
    ...crowd.figures(verdict),
    'p99 of the others before ms': p99,
    'and then': p99Then,
    'memory KiB': grown / 1024,
    'came back': cut,
    notices,
  })
  expect(verdict.complaints).toEqual([])
  expect(dropped).toEqual([])
})
