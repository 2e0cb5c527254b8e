/** The C client, held to every case of a client by the reference gateway. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { root } from '../tidy/root.ts'

const run = promisify(execFile)
const folder = join(root, 'conformance/peers/c')
const BUILD_MS = 300_000

beforeAll(() => run('sh', [join(folder, 'build.sh')]), BUILD_MS)

test('it passes but what is known to fail', { timeout: BUILD_MS }, async () => {
  const runner = join(root, 'conformance/runner/main.ts')
  const client = ['--client', join(root, '.tools/bin/porthouse-peer-c')]
  const known = ['--known-failing', join(folder, 'known-failing.txt')]
  const args = [runner, ...client, ...known, '--case', 'client-*/**']
  const { stdout } = await run(process.execPath, args)
  expect(stdout).toContain('porthouse-c')
})
