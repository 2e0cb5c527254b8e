/** Who reads nothing of what its system takes is asked for a sign of life, and then waited for. */
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { Code } from '@porthouse/proto/v1/code'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { text } from '../support/client-frames.ts'
import { Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'

const OUTBOX = { bytes: 100_000, ageMs: 30_000, probeMs: 2_000 }
/** Deadlines are looked at this often. */
const SWEEP_MS = 500
const KIB = 1024

let hall: Hall

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  hall = new Hall({ outbox: OUTBOX, heartbeatMs: 1_000_000 })
})
afterEach(() => vi.useRealTimers())

/** Two in a room of this policy, of whom one is deaf from now on. */
async function pair(policy: Policy) {
  hall.store.room('acme/room', OPEN, { case: 'slowConsumers', value: { policy } } as never)
  const [slow, other] = [hall.open('/acme/room'), hall.open('/acme/room')]
  await hall.settle()
  for (const guest of [slow, other]) guest.take()
  slow.deaf = true
  let said = 0
  /** Has so much be written, in messages of 16 KiB, which have the numbers that they are told. */
  const pour = (kib: number) => {
    for (let left = kib; left > 0; left -= 16) {
      said++
      other.say(text(said, `${said} `.padEnd(16 * KIB, '.'), { route: 1 }))
      hall.endTurn()
    }
    return said
  }
  return { slow, other, pour }
}

const numbers = (lines: readonly string[]) =>
  lines.map((line) => Number(/^0 envelope (\d+)/.exec(line)?.[1]))
const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i)

test('it is asked behind 256 KiB, and what comes waits while 512 are unread', async () => {
  const { slow, pour } = await pair(Policy.DISCONNECT)
  pour(240)
  hall.pass(OUTBOX.ageMs)
  expect(slow.asked).toEqual([])
  pour(32)
  hall.pass(SWEEP_MS)
  expect(slow.asked).toHaveLength(1)
  const written = pour(400)
  hall.pass(OUTBOX.probeMs - SWEEP_MS)
  expect(slow.session.outbox.ready).toBe(true)
  hall.pass(SWEEP_MS)
  expect(numbers(slow.heard())).toEqual(upTo(written))

  const last = pour(80)
  expect(slow.heard()).toEqual([])
  expect(slow.session.outbox.backlog).toMatchObject({ phase: 'transport', frames: 5 })
  slow.pong()
  hall.endTurn()
  expect(numbers(slow.heard())).toEqual(upTo(last, written + 1))
  expect(slow.session.outbox.backlog).toBeUndefined()
  expect(slow.asked).toHaveLength(1)
})

test('one that leaves less unread is not waited for before it has long said nothing', async () => {
  const { slow, pour } = await pair(Policy.DROP_OLDEST)
  pour(288)
  hall.pass(OUTBOX.ageMs)
  pour(16)
  expect(slow.heard()).toHaveLength(19)
  hall.pass(SWEEP_MS)
  pour(16)
  expect(slow.heard()).toEqual([])
  // What waits now may do so for as long again.
  hall.pass(OUTBOX.ageMs)
  expect(slow.ended).toBeUndefined()
  hall.pass(SWEEP_MS)
  expect(slow.ended).toBe(Code.SLOW_CONSUMER)
})

test('over the bound the policy decides, as for any slow one', async () => {
  const { slow, pour } = await pair(Policy.DROP_OLDEST)
  const written = pour(640)
  hall.pass(SWEEP_MS + OUTBOX.probeMs)
  const last = pour(320)
  expect(slow.ended).toBeUndefined()
  expect(slow.heard()).toHaveLength(written)
  slow.pong()
  hall.endTurn()
  const [lost, ...rest] = slow.heard()
  expect(lost).toMatch(/^0 lost/)
  expect(numbers(rest)).toEqual(upTo(last, last - rest.length + 1))
})

type Step = 'say' | 'sweep' | 'pong' | 'deafen' | 'hear' | 'stick' | 'unstick' | 'gulp'
const STEPS: Step[] = ['say', 'say', 'say', 'sweep', 'pong', 'deafen', 'hear', 'stick', 'unstick']
const steps = fc.array(fc.constantFrom<Step>(...STEPS, 'gulp'), { minLength: 20, maxLength: 80 })
const LOSING = [Policy.DROP_OLDEST, Policy.DROP_NEWEST, Policy.CONFLATE] as const

test('whenever it reads and answers, it gets all in order or is told of the rest', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(...LOSING), async (played, policy) => {
      hall = new Hall({ outbox: OUTBOX, heartbeatMs: 1_000_000 })
      const { slow, pour } = await pair(policy)
      let said = pour(640)
      for (const step of played) {
        if (step === 'say') said = pour(16)
        else if (step === 'sweep') hall.pass(SWEEP_MS)
        else if (step === 'deafen' || step === 'hear') slow.deaf = step === 'deafen'
        else slow[step]()
      }
      slow.unstick()
      await hall.settle()
      if (slow.ended !== undefined) return
      const frames = slow.take()
      const got = frames.flatMap(({ body }) =>
        body.case === 'envelope' ? [Number(body.value.stamp!.sequence)] : [],
      )
      expect(got).toEqual([...new Set(got)].toSorted((a, b) => a - b))
      const lost = frames.flatMap(({ body }) =>
        body.case === 'room' && body.value.action.case === 'lost' ? [body.value.action.value] : [],
      )
      expect(lost.reduce((sum, { count }) => sum + count, got.length)).toBe(said)
    }),
    { numRuns: 40 },
  )
})

test('in a room that disconnects it goes', async () => {
  const { slow, other, pour } = await pair(Policy.DISCONNECT)
  pour(640)
  hall.pass(SWEEP_MS + OUTBOX.probeMs)
  pour(112)
  expect(slow.ended).toBe(Code.SLOW_CONSUMER)
  expect(other.ended).toBeUndefined()
})

test('only the answer to what it was asked last shows that it reads', async () => {
  const { slow, pour } = await pair(Policy.DISCONNECT)
  pour(288)
  hall.pass(SWEEP_MS)
  slow.pong()
  const [first = 0] = slow.asked
  pour(640)
  hall.pass(SWEEP_MS + OUTBOX.probeMs)
  const [, second = 0] = slow.asked
  for (const position of [0, first, second - 1, second + 1_000_000]) {
    slow.session.outbox.answered(position)
    expect(slow.session.outbox.ready).toBe(false)
  }
  slow.session.outbox.answered(second)
  expect(slow.session.outbox.ready).toBe(true)
})

test('nobody is late whose answer the gateway does not read', async () => {
  const { slow, pour } = await pair(Policy.DISCONNECT)
  pour(640)
  hall.pass(SWEEP_MS)
  slow.paused = true
  hall.pass(2 * OUTBOX.probeMs)
  expect(slow.session.outbox.ready).toBe(true)
})
