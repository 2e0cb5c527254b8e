/** A socket that reads slowly (R46): what it gets and in which order, and when it goes. */
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { Code } from '@porthouse/proto/v1/code'
import type { Frame } from '@porthouse/proto/v1/frame'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { binaryLane } from '../../gateway/ingress/websocket/binary-lane.ts'
import { jsonLane } from '../../gateway/ingress/websocket/json-lane.ts'
import type { Lane } from '../../gateway/router/lane.ts'
import { leave, text } from '../support/client-frames.ts'
import { Hall } from '../support/hall.ts'
import { brief, textOf } from '../support/heard.ts'
import { OPEN } from '../support/memory-store.ts'

/** With this much more than the connection takes by itself, nine messages of 10 KB wait. */
const OUTBOX = { bytes: 100_000, ageMs: 30_000 }
const LOSING = [Policy.DROP_OLDEST, Policy.DROP_NEWEST, Policy.CONFLATE] as const

let hall: Hall

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  hall = new Hall({ outbox: OUTBOX })
})
afterEach(() => vi.useRealTimers())

/** Two who are in a room of this policy, with nothing left to read. */
async function pair(policy: Policy, at = hall, lane: Lane = binaryLane) {
  const slowConsumers = { case: 'slowConsumers', value: { policy } } as never
  at.store.room('acme/room', OPEN, slowConsumers)
  const [slow, other] = [at.open('/acme/room', lane), at.open('/acme/room')]
  await at.settle()
  for (const guest of [slow, other]) guest.take()
  return { slow, other }
}

const long = (head: string, size = 10_000) => `${head} `.padEnd(size, '.')
const head = (content: string) => content.split(' ')[0]!

/** What a slow socket got, taken apart. */
function sift(frames: readonly Frame[]) {
  const sequences: number[] = []
  const lost: { from: number; to: number; count: number }[] = []
  for (const { body } of frames) {
    if (body.case === 'envelope' && body.value.stamp!.sequence > 0n) {
      sequences.push(Number(body.value.stamp!.sequence))
    }
    if (body.case !== 'room' || body.value.action.case !== 'lost') continue
    const { fromSequence, toSequence, count } = body.value.action.value
    lost.push({ from: Number(fromSequence), to: Number(toSequence), count })
  }
  return { sequences, lost }
}

describe('a socket that takes nothing', () => {
  test.each(LOSING)('under policy %s is told exactly what it lost', async (policy) => {
    const { slow, other } = await pair(policy)
    slow.stick()
    for (let i = 1; i <= 40; i++) {
      other.say(text(i, long(`${i}`), { channel: `${i % 3}`, route: 1 }))
      hall.endTurn()
    }
    expect(other.take()).toHaveLength(40)
    slow.unstick()
    await hall.settle()
    const { sequences, lost } = sift(slow.take())
    expect(sequences).toEqual([...new Set(sequences)].toSorted((a, b) => a - b))
    const count = lost.reduce((sum, each) => sum + each.count, 0)
    expect(sequences.length + count).toBe(40)
    expect(count).toBeGreaterThan(10)
    if (policy === Policy.DROP_NEWEST) expect(sequences).not.toContain(40)
    else expect(sequences.slice(-3)).toEqual([38, 39, 40])
    if (policy === Policy.CONFLATE) expect(sequences.length).toBeLessThan(12)

    other.say(text(41, 'live again'))
    hall.endTurn()
    expect(slow.heard()).toEqual(['0 envelope live again'])
    expect(slow.ended).toBeUndefined()
  })

  test('in a room that disconnects is dropped, and nobody else', async () => {
    const { slow, other } = await pair(Policy.DISCONNECT)
    const third = hall.open('/acme/room')
    await hall.settle()
    third.take()
    slow.stick()
    for (let i = 1; i <= 20; i++) {
      other.say(text(i, long(`${i}`)))
      hall.endTurn()
    }
    expect(slow.ended).toBe(Code.SLOW_CONSUMER)
    const heard = slow.heard()
    expect(heard.at(-1)).toBe('0 drop SLOW_CONSUMER')
    // What waited in the connection is before it; what waited in the queue would not be taken.
    expect(heard.length).toBeLessThan(10)
    expect(third.take()).toHaveLength(20)
    expect(other.heard().slice(-1)).toEqual(['20 receipt ROUTED 1'])
    expect(hall.sessions.count).toBe(2)
  })

  test('is dropped where what may not be lost is over the bound, whatever the policy', async () => {
    const { slow, other } = await pair(Policy.DROP_OLDEST)
    slow.stick()
    for (let i = 1; i <= 20; i++) {
      other.say(text(i, long(`${i}`), { to: [slow.session.address] }))
      hall.endTurn()
    }
    expect(slow.ended).toBe(Code.SLOW_CONSUMER)
    expect(other.ended).toBeUndefined()
  })

  test('is dropped once it has taken nothing for as long as it may', async () => {
    const { slow, other } = await pair(Policy.CONFLATE)
    slow.stick()
    for (let i = 1; i <= 20; i++) other.say(text(i, long(`${i}`)))
    hall.endTurn()
    other.say(text(21, 'one that waits'))
    hall.endTurn()
    for (let passed = 0; passed < OUTBOX.ageMs; passed += 10_000) {
      hall.pass(10_000)
      for (const guest of [slow, other]) guest.say()
    }
    expect(slow.ended).toBeUndefined()
    hall.pass(1000)
    expect(slow.ended).toBe(Code.SLOW_CONSUMER)
    expect(other.ended).toBeUndefined()
  })

  test('but some of it again and again stays', async () => {
    const { slow, other } = await pair(Policy.DROP_OLDEST)
    slow.stick()
    for (let i = 1; i <= 90; i++) {
      other.say(text(i, long(`${i}`)))
      hall.endTurn()
      hall.pass(1000)
      slow.say()
      if (i % 20 === 0) slow.gulp()
    }
    expect(slow.ended).toBeUndefined()
  })
})

describe('what a slow socket gets', () => {
  test('keeps its order: messages, then that the room was left', async () => {
    const { slow, other } = await pair(Policy.DROP_OLDEST)
    slow.stick()
    for (let i = 1; i <= 10; i++) other.say(text(i, long(`${i}`)))
    hall.endTurn()
    other.say(text(11, 'last'))
    hall.endTurn()
    slow.say(leave(1, 'room:acme/room'))
    slow.unstick()
    await hall.settle()
    expect(slow.heard().slice(-2)).toEqual(['0 envelope last', '1 left room:acme/room'])
  })

  test.each([binaryLane, jsonLane])('is whole on the lane $name', async (lane) => {
    const { slow, other } = await pair(Policy.DROP_OLDEST, hall, lane)
    slow.stick()
    for (let i = 1; i <= 20; i++) {
      other.say(text(i, long(`${i}`)))
      hall.endTurn()
    }
    slow.unstick()
    await hall.settle()
    const { sequences, lost } = sift(slow.take())
    expect(sequences.length + lost.reduce((sum, { count }) => sum + count, 0)).toBe(20)
  })
})

type Step = 'speak' | 'whisper' | 'ask' | 'stick' | 'unstick' | 'gulp' | 'endTurn'
const steps = fc.array(
  fc.tuple(
    fc.constantFrom<Step>(
      ...['speak', 'speak', 'speak', 'whisper', 'ask', 'stick', 'unstick', 'gulp', 'endTurn'].map(
        (step) => step as Step,
      ),
    ),
    fc.integer({ min: 10, max: 40_000 }),
    fc.nat(2),
  ),
  { minLength: 20, maxLength: 80 },
)

test('nothing is lost untold, doubled or out of order, however it reads', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(...LOSING), async (played, policy) => {
      const at = new Hall({ outbox: OUTBOX })
      const { slow, other } = await pair(policy, at)
      const [route = 0] = other.session.memberships.keys()
      let [turn, spoken, whispered, asked] = [1, 0, 0, 0]
      for (const [step, size, channel] of played) {
        if (step === 'speak') {
          spoken++
          other.say(text(1, long(`${turn}`, size), { route, channel: `${channel}` }))
        } else if (step === 'whisper') {
          whispered++
          other.say(text(1, long(`${turn}`, size), { to: [slow.session.address] }))
        } else if (step === 'ask') {
          asked++
          slow.say(text(turn, 'x', { to: ['socket:aaaaaaaaaaaaaaaa'] }))
        } else if (step === 'endTurn') {
          turn++
          at.endTurn()
        } else slow[step]()
      }
      slow.unstick()
      await at.settle()
      const frames = slow.take()
      if (slow.ended !== undefined) {
        expect(brief(frames.at(-1)!)).toBe('0 drop SLOW_CONSUMER')
        return
      }
      const { sequences, lost } = sift(frames)
      expect(sequences).toEqual([...new Set(sequences)].toSorted((a, b) => a - b))
      expect(sequences.length + lost.reduce((sum, { count }) => sum + count, 0)).toBe(spoken)
      const untold = Array.from({ length: spoken }, (_, i) => i + 1)
        .filter((sequence) => !sequences.includes(sequence))
        .filter((sequence) => !lost.some(({ from, to }) => from <= sequence && sequence <= to))
      expect(untold).toEqual([])
      const turns = frames.flatMap(turnOf)
      expect(turns).toEqual(turns.toSorted((a, b) => a - b))
      expect(frames.filter(({ body }) => body.case === 'receipt')).toHaveLength(asked)
      const direct = frames.filter(({ body }) => body.case === 'envelope' && isDirect(body.value))
      expect(direct).toHaveLength(whispered)
    }),
    { numRuns: 60 },
  )
})

type Said = Extract<Frame['body'], { case: 'envelope' }>['value']

function isDirect({ stamp }: Said): boolean {
  return stamp!.sequence === 0n
}

/** The turn in which a frame was made; a Lost is of none. */
function turnOf({ id, body }: Frame): number[] {
  if (body.case === 'receipt') return [id]
  return body.case === 'envelope' ? [Number(head(textOf(body.value)))] : []
}
