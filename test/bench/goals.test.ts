/** How goals are judged, and that a run measures what they ask for. */
import { describe, expect, test } from 'vitest'
import { goals } from '../../bench/goals.ts'
import { type Bound, count, judge, leg, type Median, needs } from '../../bench/judge.ts'
import { readPlan } from '../../bench/plan.ts'
import { workloads } from '../../bench/workloads.ts'

const measured = workloads.flatMap(({ id, peers }) => peers.map((peer) => leg(id, peer)))

test('every figure that a goal asks for is of a leg', () => {
  const asked = goals.flatMap((goal) => [...needs(goal)])
  expect(asked.filter((each) => !measured.includes(each))).toEqual([])
})

test.each([false, true])('a run without arguments judges all of them (short: %s)', (quick) => {
  expect(readPlan(quick, []).goals).toEqual(goals)
})

test('a short run has the legs that goals ask for, and no others', () => {
  const asked = new Set(goals.flatMap((goal) => [...needs(goal)]))
  const legs = readPlan(true, []).legs.map(({ workload, peer }) => leg(workload.id, peer))
  expect(new Set(legs)).toEqual(asked)
})

test('a goal stands once, in order', () => {
  const numbers = goals.map(({ id }) => Number(id.slice(1)))
  expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b))
})

describe('a bound', () => {
  const cost = (peer: string) => (median: Median) => median('w2', peer, 'cpu')
  const bound: Bound = { says: 'x', most: 2, value: cost('porthouse') }
  const walled: Bound = { ...bound, wall: { says: 'x', value: cost('floor') } }
  const judged = (bounds: Bound[], costs: Record<string, number>) =>
    judge({ id: 'G0', about: '', bounds }, (_, peer) => costs[peer] ?? Number.NaN).state

  test.each<[string, string, Bound[], Record<string, number>]>([
    ['met', 'within', [walled], { porthouse: 2, floor: 3 }],
    ['missed', 'outside', [bound], { porthouse: 2.1 }],
    ['wall', 'outside, as the floor is', [walled], { porthouse: 2.2, floor: 2.1 }],
    ['missed', 'outside, where the floor is within', [walled], { porthouse: 2.2, floor: 2 }],
    ['missed', 'outside, where the floor was not measured', [walled], { porthouse: 2.2 }],
    ['missed', 'of a leg that failed', [walled], { floor: 3 }],
    ['missed', 'beside a wall', [walled, bound], { porthouse: 2.2, floor: 2.1 }],
  ])('is %s: %s', (state, _, bounds, costs) => {
    expect(judged(bounds, costs)).toBe(state)
  })
})

test('the last line counts each goal once', () => {
  const verdict = (state: 'met' | 'wall' | 'missed') => ({ id: '', about: '', state, found: [] })
  const verdicts = [verdict('met'), verdict('wall'), verdict('missed'), verdict('met')]
  expect(count(verdicts)).toBe('goals met: 2 of 4 (1 walls)')
})
