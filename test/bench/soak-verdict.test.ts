/** What a soak is judged by, on made-up series. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { judge, type Sample } from '../../bench/soak/verdict.ts'

const KB = 1024
const ROUND_SECONDS = 6
const bound = { perMinute: 30, perThousandRounds: 3_000 }
/** A slope within the bound a minute is within the other one as well: ten rounds are a minute. */
const bounds = { used: bound, resident: bound, objects: 500 }

interface Series {
  readonly level: number
  /** KB above or below the level, one a sample. */
  readonly noise: readonly number[]
}

const series = (noiseMax: number): fc.Arbitrary<Series> =>
  fc.record({
    level: fc.integer({ min: 1_000, max: 500_000 }),
    noise: fc.array(fc.integer({ min: -noiseMax, max: noiseMax }), {
      minLength: 60,
      maxLength: 120,
    }),
  })

/** `risen`: KB that a sample's memory is above the first's, by its round. */
function samples({ level, noise }: Series, risen: (round: number) => number): Sample[] {
  return noise.map((off, round) => {
    const used = (level + off + risen(round)) * KB
    const heap = Math.trunc(used / 2)
    const seconds = round * ROUND_SECONDS
    const memory = { heap, code: 0, buffers: used - heap, resident: used }
    return { round, seconds, ...memory, objects: { sessions: 3 }, counts: { rooms: 5 } }
  })
}

const minutes = (round: number) => (round * ROUND_SECONDS) / 60

/**
 * Noise of at most n KB moves a slope by 7 n over the whole time at worst: half of all pairs lie
 * closer together than 0.29 of it, and those farther apart differ by at most 2 n.
 */
const noiseMax = Math.trunc((bound.perMinute * minutes(59)) / 7)

test('memory that only goes up and down is flat', () => {
  fc.assert(
    fc.property(series(noiseMax), (one) => {
      expect(
        judge(
          samples(one, () => 0),
          bounds,
        ).grows,
      ).toEqual([])
    }),
  )
})

test('memory that grows by more than twice the bound is found, whatever the noise', () => {
  fc.assert(
    fc.property(series(noiseMax), fc.double({ min: 2.01, max: 50, noNaN: true }), (one, times) => {
      const risen = (round: number) => times * bound.perMinute * minutes(round)
      expect(judge(samples(one, risen), bounds).grows).toEqual(['used', 'resident'])
    }),
  )
})

test('the growth of a straight line is its slope, a minute and a thousand rounds', () => {
  const slope = fc.double({ min: -1_000, max: 1_000, noNaN: true })
  fc.assert(
    fc.property(slope, fc.integer({ min: 6, max: 50 }), (perMinute, count) => {
      const line = { level: 500_000, noise: new Array(count).fill(0) }
      const { used } = judge(
        samples(line, (round) => perMinute * minutes(round)),
        bounds,
      )
      expect(used.perMinute).toBeCloseTo(perMinute)
      expect(used.perThousandRounds).toBeCloseTo((perMinute * 1000 * ROUND_SECONDS) / 60)
    }),
  )
})

test('a few samples far off change nothing', () => {
  const off = fc.array(fc.integer({ min: 0, max: 59 }), { maxLength: 5 })
  fc.assert(
    fc.property(series(Math.trunc(noiseMax / 2)), off, (one, rounds) => {
      const risen = (round: number) => (rounds.includes(round) ? 400_000 : 0)
      expect(judge(samples(one, risen), bounds).grows).toEqual([])
    }),
  )
})

test('either bound alone is enough to fail', () => {
  const line = samples({ level: 1_000, noise: new Array(20).fill(0) }, (round) => 10 * round)
  const lax = { perMinute: Infinity, perThousandRounds: Infinity }
  const found = (used: Partial<typeof lax>) =>
    judge(line, { used: { ...lax, ...used }, resident: lax, objects: Infinity }).grows
  expect(found({})).toEqual([])
  expect(found({ perMinute: 99 })).toEqual(['used'])
  expect(found({ perThousandRounds: 9_999 })).toEqual(['used'])
  expect(found({ perMinute: 101, perThousandRounds: 10_001 })).toEqual([])
})

test('one object in two rounds is found, those that come and go are not', () => {
  const flat = samples({ level: 1_000, noise: new Array(12).fill(0) }, () => 0)
  const found = (countOf: (round: number) => number) =>
    judge(
      flat.map((sample) => ({ ...sample, objects: { sessions: countOf(sample.round) } })),
      bounds,
    ).grows
  expect(found((round) => 3 + (round % 4))).toEqual([])
  expect(found((round) => 3 + Math.trunc(round * 0.4))).toEqual([])
  expect(found((round) => 3 + Math.trunc(round * 0.6))).toEqual(['sessions'])
})

test('rooms that stay behind are found, one that is late is not', () => {
  const flat = samples({ level: 1_000, noise: new Array(12).fill(0) }, () => 0)
  const behind = (counts: readonly number[]) =>
    judge(
      flat.map((sample, i) => ({ ...sample, counts: { rooms: counts[i]! } })),
      bounds,
    ).grows
  expect(behind([5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 7, 7])).toEqual(['rooms'])
  expect(behind([5, 5, 5, 5, 5, 6, 6, 6, 6, 5, 7, 7])).toEqual([])
})

test('too few samples are no verdict', () => {
  const line = { level: 1_000, noise: [0, 0, 0, 0, 0] }
  expect(() =>
    judge(
      samples(line, () => 0),
      bounds,
    ),
  ).toThrow(RangeError)
})
