/** The client in Go is vetted as the bench's generator is. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { BUILD_MS } from './clients.ts'

const cwd = join(import.meta.dirname, 'go')

test('go vet finds nothing', { timeout: BUILD_MS }, async () => {
  const { stdout, stderr } = await promisify(execFile)('go', ['vet', './...'], { cwd })
  expect(stdout).toBe('')
  // Modules that are fetched are no findings.
  expect(stderr.replaceAll(/^go: downloading .*\n/gm, '')).toBe('')
})
