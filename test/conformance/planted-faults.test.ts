/** The suite finds what is wrong: gateways broken on purpose, each found by the case for it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serverRuns } from '../../conformance/runner/cases.ts'
import type { Result } from '../../conformance/runner/result.ts'
import { runServerCases } from '../../conformance/runner/server/run.ts'
import { startProcess, type Target } from '../../conformance/runner/server/target.ts'
import { faults } from './faults/faults.ts'
import { BrokenGateway, type Fault } from './faults/proxy.ts'

let right: Target

beforeAll(async () => {
  right = await startProcess('node conformance/peers/gateway/main.ts', {})
}, 60_000)

afterAll(() => right.stop())

const named = new Set(faults.map(({ foundBy }) => `${foundBy}/websocket`))
const runs = serverRuns().filter(({ name }) => named.has(name))

/** Runs the cases that find faults against a gateway with one. */
async function tried(fault: Fault, wanted: string[]): Promise<Result[]> {
  const broken = await BrokenGateway.start(right.httpUrl, fault)
  const target = { ...right, httpUrl: broken.url, stop: () => broken.stop() }
  return await runServerCases(
    runs.filter(({ name }) => wanted.includes(name)),
    {
      subject: fault.name,
      start: async () => target,
      atOnce: 4,
      seed: faults.indexOf(fault) + 2,
      withinMs: fault.foundBy === '' ? 5000 : 1000,
      onResult: () => {},
    },
  )
}

test('without a fault all is right', async () => {
  const results = await tried({ name: 'none', foundBy: '' }, [...named])
  expect(
    results.map(({ name, why }) => `${name} ${why}`).filter((line) => !line.endsWith(' ')),
  ).toEqual([])
  expect(results.length).toBe(named.size)
}, 120_000)

test.concurrent.each(faults.map((fault) => [fault.name, fault.foundBy, fault] as const))(
  'that %s is found by %s',
  async (_name, foundBy, fault) => {
    const [result] = await tried(fault, [`${foundBy}/websocket`])
    expect(result?.outcome).toBe('failed')
  },
)

test('there are at least twenty, and none twice', () => {
  expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length)
  expect(faults.length).toBeGreaterThanOrEqual(20)
})
