/** What stands beside the core, each by a program in C: clients/c/test and clients/c/fuzz. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { run, STRICT, source } from './build.ts'

vi.setConfig({ testTimeout: 120_000 })

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'porthouse-c-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const flags = ['-std=c99', '-g', '-O1', '-Wconversion', '-Iinclude', '-Igen']
const nanopb = ['-isystem', 'third_party/nanopb']

/** Compiles sources of clients/c, where a star stands for any name, and runs what comes out. */
async function runs(name: string, sources: string[], more: string[] = [], args: string[] = []) {
  const file = join(folder, name)
  const line = ['clang', ...flags, ...STRICT, ...nanopb, ...more, '-o', file, ...sources].join(' ')
  await run('sh', ['-c', line], { cwd: source })
  return run(file, args)
}

const websocket = ['src/websocket/*.c', 'src/code.c']

test('the handshake of WebSocket asks and reads as RFC 6455 has it', async () => {
  const { stderr } = await runs('websocket', ['test/websocket.c', ...websocket])
  expect(stderr).toBe('')
})

test('no answer to it and no URL leads it astray', async () => {
  const sources = ['fuzz/websocket.c', ...websocket]
  const args = ['-seed=1', '-runs=50000', '-max_len=600']
  const { stderr } = await runs('fuzz-websocket', sources, ['-fsanitize=fuzzer'], args)
  expect(stderr).toContain('Done 50000 runs')
})

test('topics of MQTT are what addresses and frames say', async () => {
  const sources = ['test/mqtt.c', 'src/mqtt/*.c', 'src/frame.c']
  const { stderr } = await runs('mqtt', sources)
  expect(stderr).toBe('')
})
