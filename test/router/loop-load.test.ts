/** When the loop is busy: by what it did lately, and not by what it does while messages wait. */
import { beforeEach, expect, test } from 'vitest'
import { LoopLoad } from '../../gateway/router/loop-load.ts'

let now: number
let times: { active: number; idle: number }
let looks: number
let load: LoopLoad

beforeEach(() => {
  now = 1_000
  times = { active: 1_000, idle: 0 }
  looks = 0
  const measure = () => {
    looks++
    return { ...times }
  }
  load = new LoopLoad(measure, () => now)
})

/** Time passes, of which the loop had work for a share. */
function passes(ms: number, share: number): void {
  now += ms
  times = { active: times.active + share * ms, idle: times.idle + (1 - share) * ms }
}

/** Whether it is busy each time, asked every so many milliseconds. */
function asked(times: number, ms: number, share: number): boolean[] {
  return Array.from({ length: times }, () => {
    passes(ms, share)
    return load.busy
  })
}

test('a loop with work for over half of the time is busy, and one with half of it is not', () => {
  passes(50, 0.5)
  expect(load.busy).toBe(false)
  passes(50, 0.52)
  expect(load.busy).toBe(true)
})

test('what it did long ago does not count', () => {
  passes(60_000, 0.1)
  expect(load.busy).toBe(false)
  passes(50, 0.9)
  expect(load.busy).toBe(true)
})

test('it stays busy while what waits spares it the work, and is measured anew without that', () => {
  expect(asked(1, 50, 0.9)).toEqual([true])
  expect(asked(49, 100, 0.1)).not.toContain(false)
  // The end of the 5 seconds: nothing of them counts, and nothing waits while it is measured.
  expect(asked(4, 25, 0.9)).toEqual([true, true, true, false])
  expect(asked(2, 25, 0.9)).toEqual([false, true])
})

test('a loop that is at rest by then is not busy any more', () => {
  expect(asked(1, 50, 0.9)).toEqual([true])
  expect(asked(50, 100, 0.1).at(-1)).toBe(false)
  expect(asked(100, 10, 0.1)).not.toContain(true)
})

test('it is measured once in 50 milliseconds, and once in 5 seconds while it is busy', () => {
  asked(99, 1, 0.1)
  expect(looks).toBe(2)
  asked(1, 1, 0.1)
  expect(looks).toBe(3)
  asked(50, 1, 0.9)
  expect(looks).toBe(4)
  asked(4_999, 1, 0.9)
  expect(looks).toBe(4)
})
