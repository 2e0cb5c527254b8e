/** What the runner makes of results: known failures, the table, JUnit, clauses. */
import { expect, test } from 'vitest'
import { clauseReport } from '../../conformance/runner/clauses.ts'
import {
  hasPassed,
  judge,
  matches,
  readKnownFailing,
} from '../../conformance/runner/known-failing.ts'
import { inParallel } from '../../conformance/runner/pool.ts'
import { junit } from '../../conformance/runner/report/junit.ts'
import { report } from '../../conformance/runner/report/table.ts'
import type { Result } from '../../conformance/runner/result.ts'

const result = (name: string, outcome: Result['outcome'], why = ''): Result => ({
  name,
  outcome,
  why,
  about: '',
  clauses: ['PH-1.1'],
  subject: 'gateway',
  transport: name.split('/')[2]!,
  trace: ['a <line> & "more" \u0007'],
  ms: 5,
})

const results = [
  result('locks/failed/json', 'passed'),
  result('locks/failed/mqtt5', 'failed', 'it is 1, not 2'),
  result('rooms/once/mqtt5', 'not run', 'no MQTT'),
]

test('a pattern matches within a part of a name, or any parts', () => {
  expect(matches('locks/*/json', 'locks/failed/json')).toBe(true)
  expect(matches('locks/*', 'locks/failed/json')).toBe(false)
  expect(matches('**/json', 'locks/failed/json')).toBe(true)
  expect(matches('lo.ks/**', 'locks/failed/json')).toBe(false)
})

test('a known failure needs a reason', () => {
  expect(readKnownFailing('# all\n\nlocks/**  # no locks yet\n')).toEqual([
    { pattern: 'locks/**', why: 'no locks yet' },
  ])
  expect(() => readKnownFailing('locks/**')).toThrow('without a reason')
})

test('a failure fails the run, unless it is known', () => {
  expect(hasPassed(judge(results, []))).toBe(false)
  expect(hasPassed(judge(results, readKnownFailing('**/mqtt5  # later')))).toBe(true)
})

test('a known failure that passes fails the run, and so does one that matches nothing', () => {
  const surprised = judge(results, readKnownFailing('locks/**  # no locks yet'))
  expect(hasPassed(surprised)).toBe(false)
  expect(report(surprised)).toContain('passed, yet known to fail')
  const unmatched = judge(results, readKnownFailing('**/mqtt5  # later\ncaves/**  # dark'))
  expect(hasPassed(unmatched)).toBe(false)
  expect(report(unmatched)).toContain('no such case')
  const part = judge(results, readKnownFailing('**/mqtt5  # later\ncaves/**  # dark'), true)
  expect(hasPassed(part)).toBe(true)
  expect(report(part).split('\n').at(-1)).toBe('1 passed, 0 failed, 1 known to fail, 1 not run')
})

test('the table has a column a transport, and a sum', () => {
  const lines = report(judge(results, [])).split('\n')
  expect(lines[0]).toBe('FAILED gateway locks/failed/mqtt5')
  expect(lines).toContain('         json  mqtt5  all')
  expect(lines).toContain('gateway   1/1    0/1  1/2')
  expect(lines.at(-1)).toBe('1 passed, 1 failed, 1 not run')
})

test('JUnit has each case once, in legal XML', () => {
  const xml = junit(judge(results, []))
  expect(xml).toContain('tests="3" failures="1" skipped="1"')
  expect(xml.match(/<testcase /g)).toHaveLength(3)
  expect(xml).toContain('a &lt;line&gt; &amp; &quot;more&quot; \u{fffd}')
})

test('clauses without a case are told', () => {
  const text = clauseReport(['PH-1.1', 'PH-1.2'], results)
  expect(text).toContain('PH-1.1 2\nPH-1.2 0')
  expect(text).toContain('without one: PH-1.2')
})

test('one seed gives one order, and results keep the order of the things', async () => {
  const orderOf = async (seed: number) => {
    const order: number[] = []
    const things = Array.from({ length: 20 }, (_, i) => i)
    const doubled = await inParallel(things, { atOnce: 1, seed }, async (thing) => {
      order.push(thing)
      return thing * 2
    })
    expect(doubled).toEqual(things.map((thing) => thing * 2))
    return order
  }
  expect(await orderOf(1)).toEqual(await orderOf(1))
  expect(await orderOf(1)).not.toEqual(await orderOf(2))
})
