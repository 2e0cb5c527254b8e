/**
 * The client in C as a part of other builds, each by its own tool where there is one to be had:
 * the same program is compiled with what each of them takes.
 */
import { globSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { pythonEnvironment } from '../../support/python.ts'
import { BUILD_MS } from '../languages.ts'
import { run, source } from './build.ts'

vi.setConfig({ testTimeout: 120_000 })

const packages = join(import.meta.dirname, 'packages')
const WORKS = '0.1.0 with 4 rooms\n'

let folder: string
let python: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'porthouse-c-'))
  python = await pythonEnvironment('c-packages', join(packages, 'requirements.txt'))
}, BUILD_MS)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Builds the firmware of a folder of packages/ by CMake, and runs it; gives what it says. */
async function builds(name: string, ...options: string[]): Promise<string> {
  const build = await mkdtemp(join(folder, `${name}-`))
  await run('cmake', ['-S', join(packages, name), '-B', build, ...options])
  await run('cmake', ['--build', build, '--parallel', '2'])
  return (await run(join(build, 'firmware'))).stdout
}

test('CMake installs it, and find_package finds it', async () => {
  const [build, installed] = [join(folder, 'build'), join(folder, 'installed')]
  await run('cmake', ['-S', source, '-B', build, `-DCMAKE_INSTALL_PREFIX=${installed}`])
  await run('cmake', ['--build', build, '--target', 'install', '--parallel', '2'])
  expect(await builds('consumer', `-DCMAKE_PREFIX_PATH=${installed}`)).toBe(WORKS)
})

test('PlatformIO packs it, and its sources are all that is needed', async () => {
  const archive = join(folder, 'porthouse.tar.gz')
  const env = { ...process.env, PLATFORMIO_CORE_DIR: join(folder, 'platformio') }
  await run(join(python, 'python'), [join(packages, 'pack.py'), source, archive], { env })
  const cwd = join(folder, 'library')
  await mkdir(cwd)
  await run('tar', ['-xzf', archive, '-C', cwd])
  const { build } = JSON.parse(readFileSync(join(cwd, 'library.json'), 'utf8'))
  const folders = build.srcFilter.map((each: string) => /^\+<(.*)\/>$/.exec(each)![1])
  const files = globSync(`{${folders}}/**/*.c`, { cwd })
  const program = [join(packages, 'main.c'), '-o', 'firmware']
  await run('cc', [`-I${build.includeDir}`, ...build.flags, ...files, ...program], { cwd })
  expect((await run(join(cwd, 'firmware'))).stdout).toBe(WORKS)
})

test('ESP-IDF takes its manifest, and packs and builds it as a component', async () => {
  const env = { ...process.env, IDF_TOOLS_PATH: join(folder, 'espressif') }
  const compote = (...args: string[]) =>
    run(join(python, 'python'), ['-m', 'idf_component_manager', ...args], { env })
  await compote('manifest', 'lint', source)
  const pack = ['component', 'pack', '--name', 'porthouse', '--project-dir', source]
  await compote(...pack, '--dest-dir', join(folder, 'esp'))
  const packed = join(folder, 'esp/porthouse_0.1.0')
  expect(await builds('esp-idf', `-DPORTHOUSE=${packed}`)).toBe(WORKS)
})

const ZEPHYR: [string, string[], string][] = [
  ['its own nanopb', ['PORTHOUSE=y', 'PORTHOUSE_ROOMS=9'], '0.1.0 with 9 rooms\n'],
  ["Zephyr's nanopb", ['NANOPB=y', 'PORTHOUSE=y'], WORKS],
]

test.each(ZEPHYR)('Zephyr builds it as a module, with %s', async (_, assignments, said) => {
  const kconfig = join(source, 'zephyr/Kconfig')
  const script = join(packages, 'zephyr/config.py')
  const { stdout } = await run(join(python, 'python'), [script, kconfig, ...assignments])
  const config = join(await mkdtemp(join(folder, 'config-')), 'config.cmake')
  await writeFile(config, stdout)
  const nanopb = `-DNANOPB=${join(source, 'third_party/nanopb')}`
  expect(await builds('zephyr', `-DPORTHOUSE=${source}`, `-DCONFIG=${config}`, nanopb)).toBe(said)
})

test("a module's limits are those of the library, where nothing is said", async () => {
  const limits = readFileSync(join(source, 'include/porthouse/limits.h'), 'utf8')
  const kconfig = readFileSync(join(source, 'zephyr/Kconfig'), 'utf8')
  const numbers = [...kconfig.matchAll(/^config (PORTHOUSE_\w+)\n\tint .*\n\tdefault (\d+)$/gm)]
  expect(numbers).toHaveLength(3)
  for (const [, name, value] of numbers) expect(limits).toContain(`#define ${name} ${value}\n`)
})

test('everything that names a version names the same', () => {
  const read = (file: string) => readFileSync(join(source, file), 'utf8')
  const version = /PORTHOUSE_VERSION "(.*)"/.exec(read('include/porthouse.h'))![1]
  expect(JSON.parse(read('library.json')).version).toBe(version)
  expect(read('idf_component.yml')).toContain(`version: "${version}"`)
  expect(read('CMakeLists.txt')).toContain(`VERSION ${version} `)
})
