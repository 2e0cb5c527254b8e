/** Every fuzz target of the Go client, for so many inputs each: the longer runs are by hand. */
import { expect, test } from 'vitest'
import { GO_MS, go } from './tools.ts'

const INPUTS = 2000

test(`every decoder survives ${INPUTS} inputs`, { timeout: GO_MS }, async () => {
  const targets = await fuzzTargets()
  expect(targets.map(({ name }) => name)).toContain('FuzzAnswer')
  for (const { folder, name } of targets) {
    const fuzz = ['-fuzz', `^${name}$`, '-fuzztime', `${INPUTS}x`, '-parallel', '2']
    expect(await go(['test', '-run', '^$', ...fuzz, folder])).toContain('PASS')
  }
})

async function fuzzTargets(): Promise<{ folder: string; name: string }[]> {
  const lines = await go(['test', '-list', '^Fuzz', '-json', './...'])
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { Package: string; Output?: string })
    .filter(({ Output }) => Output?.startsWith('Fuzz'))
    .map(({ Package, Output }) => ({ folder: Package, name: Output!.trim() }))
}
