/**
 * What compilers and checkers say of the whole tree: one test each, with their words on failure.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from './root.ts'

const run = promisify(execFile)

/** On a machine that does much else. */
const LONG_MS = 180_000

test('TypeScript finds no errors', () => accepts('tsc', '-p', '.'), LONG_MS)
test(
  'the linter and the formatter have nothing to say',
  () => accepts('biome', 'ci', '--error-on-warnings', '--colors=off', '.'),
  LONG_MS,
)

describe('the schema', () => {
  test('follows the STANDARD rules', () => accepts('buf', 'lint'))
  test('is formatted', () => accepts('buf', 'format', '--exit-code', '--diff'))

  test('is compatible with each release', async () => {
    const released = join(root, 'conformance/released')
    const versions = await readdir(released)
    expect(versions).not.toEqual([])
    for (const version of versions) {
      await accepts('buf', 'breaking', '--against', join(released, version, 'schema.binpb'))
    }
  })
})

describe('generated code', () => {
  let fresh: string
  beforeAll(async () => {
    fresh = await mkdtemp(join(tmpdir(), 'porthouse-generated-'))
    await run('sh', ['scripts/plugins.sh'], { cwd: root })
  }, LONG_MS)
  afterAll(() => rm(fresh, { recursive: true }))

  test.each([
    ['TypeScript', 'buf.gen.yaml', 'gen/es'],
    ['Go', 'clients/go/buf.gen.yaml', 'clients/go/gen'],
    ['C', 'clients/c/buf.gen.yaml', 'clients/c/gen'],
  ])('of %s is what the schema generates', async (_, template, folder) => {
    await accepts('buf', 'generate', '--template', template, '--output', fresh)
    expect(await contents(join(root, folder))).toEqual(await contents(join(fresh, folder)))
  })
})

/** Resolves where the tool exits with 0; its output is the failure otherwise. */
function accepts(tool: string, ...args: string[]): Promise<void> {
  const file = join(root, 'node_modules/.bin', tool)
  return new Promise((resolve, reject) => {
    execFile(file, args, { cwd: root, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${tool} ${args.join(' ')}\n${stdout}${stderr || error.message}`))
      else resolve()
    })
  })
}

async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((e) => join(e.parentPath, e.name))
  const texts = paths.map(async (path) => [path.slice(folder.length), await readFile(path, 'utf8')])
  return Object.fromEntries(await Promise.all(texts))
}
