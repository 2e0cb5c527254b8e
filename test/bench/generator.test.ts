/** The load generator is a program in Go; its own tests and the vet run here. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const cwd = new URL('../../bench/generator', import.meta.url).pathname

/** Rejects with what the command printed, or with the want of Go. */
async function go(...args: string[]): Promise<string> {
  try {
    return (await run('go', args, { cwd })).stdout
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code: unknown } & Record<string, string>
    throw new Error(
      code === 'ENOENT' ? 'Go 1.24 or newer is needed: see https://go.dev' : stdout + stderr,
    )
  }
}

test('go vet finds nothing', { timeout: 180_000 }, async () => {
  expect(await go('vet', './...')).toBe('')
})

test('go test passes', { timeout: 180_000 }, async () => {
  expect(await go('test', './...')).toMatch(/^ok/)
})
