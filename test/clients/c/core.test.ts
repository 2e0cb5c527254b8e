/** The core of the client in C, tried by clients/c/test/core under both compilers. */
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { run } from './build.ts'
import { buildCore } from './core.ts'

let byGcc: string
let byClang: string

beforeAll(async () => {
  byGcc = join(await buildCore('gcc'), 'test/core/core')
  byClang = join(await buildCore('clang'), 'test/core/core')
}, 300_000)

test('behaves as its tests say, under gcc', async () => {
  const { stdout, stderr } = await run(byGcc)
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^ok /)
})

test('and under clang with its sanitizers', async () => {
  const { stderr } = await run(byClang)
  expect(stderr).toBe('')
})

test('and valgrind sees nothing', { timeout: 60_000 }, async () => {
  const { stderr } = await run('valgrind', ['--quiet', '--error-exitcode=1', byGcc])
  expect(stderr).toBe('')
})
