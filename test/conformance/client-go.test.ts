/** The Go client, held to every case of a client by the reference gateway. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { root } from '../tidy/root.ts'

const run = promisify(execFile)
const folder = join(root, 'conformance/peers/go')
/** The first time the network is asked for libraries, and all of them are built. */
const BUILD_MS = 300_000

beforeAll(() => run('sh', [join(folder, 'build.sh')]), BUILD_MS)

test('its peer is tidy, and nothing is to be said of it', { timeout: BUILD_MS }, async () => {
  const tools = [
    ['mod', 'tidy', '-diff'],
    ['vet', '.'],
  ]
  for (const args of tools) {
    expect(await run('go', args, { cwd: folder })).toMatchObject({ stdout: '', stderr: '' })
  }
})

test('it passes', { timeout: BUILD_MS }, async () => {
  const runner = join(root, 'conformance/runner/main.ts')
  const client = ['--client', join(root, '.tools/bin/porthouse-peer-go')]
  const args = [runner, ...client, '--case', 'client-*/**']
  const { stdout } = await run(process.execPath, args)
  expect(stdout).toContain('porthouse-go')
})
