/** What waits for a slow socket: bounded, in order, and no message is lost untold. */
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import type { Lost } from '@porthouse/proto/v1/room'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CountBy } from '../../gateway/observe/counts.ts'
import type { Place } from '../../gateway/router/place.ts'
import { SlowQueue } from '../../gateway/session/outbox/slow-queue.ts'
import { plainPlace } from '../support/plain-place.ts'
import { Switchboard } from '../support/switchboard.ts'

const BYTES_MAX = 1000
const POLICIES = [Policy.DROP_OLDEST, Policy.DROP_NEWEST, Policy.CONFLATE, Policy.DISCONNECT]

const board = new Switchboard()
const places = POLICIES.map((policy, i) => {
  const place = board.place(`acme/${i}`)
  place.config = { ...plainPlace, slowConsumers: policy }
  return place
})
const [oldest, newest, conflate, disconnect] = places as [Place, Place, Place, Place]

/** A message whose bytes say where it belongs: place, channel, sequence. */
function bytesOf(place: Place, channel: string, sequence: number, size: number): Buffer {
  return Buffer.from(`${place.route} ${channel} ${sequence} `.padEnd(size, '.'))
}

function readBytes(bytes: Buffer): { route: number; channel: string; sequence: number } {
  const [route, channel, sequence] = bytes.toString().split(' ')
  return { route: Number(route), channel: channel!, sequence: Number(sequence) }
}

const NO_ID = { bytes: Buffer.alloc(16), at: 0 }

/** A queue, and what came into it. */
class Trial {
  readonly queue = new SlowQueue(BYTES_MAX, new CountBy(), { noteLost() {} })
  readonly sequences = new Map(places.map((place) => [place, 0]))
  refused = false

  message(place: Place, channel: string, size: number): void {
    const sequence = this.sequences.get(place)! + 1
    const bytes = bytesOf(place, channel, sequence, size)
    this.refused = !this.queue.addMessage(bytes, { id: NO_ID, place, channel, sequence })
    if (!this.refused) this.sequences.set(place, sequence)
  }

  take(bytesMax = Number.POSITIVE_INFINITY) {
    const { notices, waiting } = this.queue.take(bytesMax)
    const lost = notices.map(({ body }) => {
      const action = body.case === 'room' ? body.value.action : undefined
      if (action?.case !== 'lost') throw new Error('not a Lost')
      return action.value
    })
    return { lost, waiting }
  }

  /** Sequences that wait for a place, and what is told of the others. */
  outcome(place: Place): { kept: number[]; lost: Lost | undefined } {
    const { lost, waiting } = this.take()
    const kept = waiting.map(readBytes).filter(({ route }) => route === place.route)
    return {
      kept: kept.map(({ sequence }) => sequence),
      lost: lost.find(({ route }) => route === place.route),
    }
  }
}

const size = fc.integer({ min: 20, max: 400 })
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ place: fc.nat(3), channel: fc.nat(2), size }) },
    fc.record({ own: size }),
    fc.record({ take: fc.integer({ min: 1, max: 500 }) }),
  ),
  { maxLength: 60 },
)

test('what came is what waits and what is told lost, in order and within the bound', () => {
  fc.assert(
    fc.property(steps, (played) => {
      const trial = new Trial()
      const out: { lost: Lost[]; waiting: Buffer[] } = { lost: [], waiting: [] }
      const owns: string[] = []
      const take = (bytesMax?: number) => {
        const { lost, waiting } = trial.take(bytesMax)
        const bytes = waiting.reduce((sum, each) => sum + each.length, 0)
        expect(bytes).toBeLessThanOrEqual(BYTES_MAX)
        out.lost.push(...lost)
        out.waiting.push(...waiting)
      }
      for (const [i, step] of played.entries()) {
        if ('place' in step) trial.message(places[step.place]!, `${step.channel}`, step.size)
        else if ('take' in step) take(step.take)
        else {
          const own = `own ${i} 0 `
          trial.refused = !trial.queue.add(Buffer.from(own.padEnd(step.own, '.')))
          if (!trial.refused) owns.push(own)
        }
        // The socket has to go.
        if (trial.refused) break
      }
      while (!trial.queue.empty) take(100)
      take()
      checkAll(trial, out, owns)
    }),
    { numRuns: 500 },
  )
})

function checkAll(trial: Trial, out: { lost: Lost[]; waiting: Buffer[] }, owns: string[]): void {
  const own = out.waiting.map((bytes) => bytes.toString()).filter((text) => text.startsWith('own'))
  expect(own.map((text) => text.split('.')[0])).toEqual(owns)
  for (const place of places) {
    const kept = out.waiting.map(readBytes).filter(({ route }) => route === place.route)
    const sequences = kept.map(({ sequence }) => sequence)
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b))
    const lost = out.lost.filter(({ route }) => route === place.route)
    const count = lost.reduce((sum, each) => sum + each.count, 0)
    expect(sequences.length + count).toBe(trial.sequences.get(place))
    for (const { fromSequence, toSequence, count } of lost) {
      expect(count).toBeLessThanOrEqual(Number(toSequence - fromSequence) + 1)
      for (const edge of [fromSequence, toSequence]) expect(sequences).not.toContain(Number(edge))
    }
    const missing = Array.from({ length: trial.sequences.get(place)! }, (_, i) => i + 1)
      .filter((sequence) => !sequences.includes(sequence))
      .filter((each) => !lost.some((l) => l.fromSequence <= each && each <= l.toSequence))
    expect(missing).toEqual([])
  }
}

describe('over the bound', () => {
  test.each([
    [
      'the oldest give way',
      oldest,
      [4, 5, 6, 7, 8],
      { fromSequence: 1n, toSequence: 3n, count: 3 },
    ],
    ['the new ones do', newest, [1, 2, 3, 4, 5], { fromSequence: 6n, toSequence: 8n, count: 3 }],
  ])('%s', (_, place, kept, lost) => {
    const trial = new Trial()
    for (let i = 0; i < 8; i++) trial.message(place, '', 200)
    expect(trial.outcome(place)).toMatchObject({ kept, lost })
  })

  test('all but the last of each channel does, before it and beyond', () => {
    const trial = new Trial()
    for (const channel of ['a', 'b', 'a', '', 'a', 'b']) trial.message(conflate, channel, 200)
    expect(trial.outcome(conflate)).toMatchObject({
      kept: [4, 5, 6],
      lost: { fromSequence: 1n, toSequence: 3n, count: 3 },
    })
  })

  test('nothing does, and the socket has to go', () => {
    const trial = new Trial()
    for (let i = 0; i < 5; i++) trial.message(disconnect, '', 200)
    expect(trial.refused).toBe(false)
    trial.message(disconnect, '', 1)
    expect(trial.refused).toBe(true)
  })

  test("only the room's own messages give way", () => {
    const trial = new Trial()
    for (let i = 0; i < 3; i++) trial.message(newest, '', 200)
    expect(trial.queue.add(Buffer.alloc(200))).toBe(true)
    for (let i = 0; i < 3; i++) trial.message(oldest, '', 200)
    expect(trial.queue.add(Buffer.alloc(1))).toBe(false)
    const { lost, waiting } = trial.take()
    expect(waiting).toHaveLength(5)
    expect(lost).toMatchObject([{ route: oldest.route, fromSequence: 1n, count: 2 }])
  })
})
