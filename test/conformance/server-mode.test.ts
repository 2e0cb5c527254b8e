/** porthouse itself passes every server case, over every transport. */
import { expect, test } from 'vitest'
import { serverRuns } from '../../conformance/runner/cases.ts'
import { runServerCases } from '../../conformance/runner/server/run.ts'
import { startProcess } from '../../conformance/runner/server/target.ts'

test('porthouse does what the protocol says', { timeout: 600_000 }, async () => {
  const runs = serverRuns()
  const results = await runServerCases(runs, {
    subject: 'gateway',
    start: (settings) => startProcess('node conformance/peers/gateway/main.ts', settings),
    atOnce: 8,
    seed: Math.floor(Math.random() * 2 ** 31),
    withinMs: 10_000,
    onResult: () => {},
  })
  const notPassed = results.filter(({ outcome }) => outcome !== 'passed')
  expect(notPassed.map(({ name, why }) => `${name}: ${why}`)).toEqual([])
  expect(results).toHaveLength(runs.length)
})
