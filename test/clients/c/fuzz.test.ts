/** The decoders of the client in C under libFuzzer, which begins with the golden frames. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from '../../tidy/root.ts'
import { run, STRICT, source } from './build.ts'

const build = join(root, '.tools/c/fuzz')
let folder: string

beforeAll(async () => {
  await mkdir(build, { recursive: true })
  const flags = ['-O1', ...STRICT, '-fsanitize=fuzzer-no-link'].join(' ')
  const options = ['-DCMAKE_C_COMPILER=clang', '-DCMAKE_BUILD_TYPE=Debug', '-DPORTHOUSE_FUZZ=ON']
  options.push(`-DCMAKE_C_FLAGS=${flags}`)
  await run('cmake', ['-G', 'Ninja', '-S', source, '-B', build, ...options])
  await run('cmake', ['--build', build])
  folder = await mkdtemp(join(tmpdir(), 'porthouse-fuzz-'))
}, 300_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The bytes of all golden frames, those that are to be refused among them. */
async function goldenFrames(): Promise<Buffer[]> {
  const frames = join(root, 'conformance/frames')
  const names = (await readdir(frames, { recursive: true })).filter((name) =>
    name.endsWith('.json'),
  )
  const texts = await Promise.all(names.map((name) => readFile(join(frames, name), 'utf8')))
  return texts.map((text) => Buffer.from((JSON.parse(text) as { hex?: string }).hex ?? '', 'hex'))
}

/** For the client: it is welcomed (6), and then hears the frame in one piece (0) or in two (3). */
function asScripts(bytes: Buffer): Buffer[] {
  if (bytes.length > 255) return []
  const half = bytes.length >> 1
  const whole = [0, 6, 0, bytes.length, ...bytes]
  const pieces = [0, 6, 3, half, ...bytes.subarray(0, half)]
  pieces.push(0, bytes.length - half, ...bytes.subarray(half))
  return [Buffer.from(whole), Buffer.from(pieces)]
}

test.each([
  ['packet', 60_000, (bytes: Buffer) => [bytes]],
  ['client', 60_000, asScripts],
] as const)('no bytes lead %s astray', { timeout: 120_000 }, async (target, runs, asInput) => {
  const corpus = join(folder, target)
  await mkdir(corpus)
  const inputs = (await goldenFrames()).flatMap(asInput)
  await Promise.all(inputs.map((bytes, i) => writeFile(join(corpus, `${i}`), bytes)))
  const args = ['-seed=1', `-runs=${runs}`, '-max_len=2048', corpus]
  const { stderr } = await run(join(build, 'fuzz', `fuzz-${target}`), args, { cwd: folder })
  expect(inputs.length).toBeGreaterThan(100)
  expect(stderr).toContain(`Done ${runs} runs`)
})
