/** The core of the client in C, tried by clients/c/test/core under both compilers. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { root } from '../../tidy/root.ts'
import { run, STRICT, source } from './build.ts'

const WARNINGS = ['-pedantic', '-Wall', '-Wextra', '-Wshadow', '-Wconversion', '-Werror']

const folder = (compiler: string) => join(root, '.tools/c', compiler)
const program = (compiler: string) => join(folder(compiler), 'test/core/core')

/** Compiling takes seconds, and what it makes is kept between runs. */
beforeAll(async () => {
  await build('gcc')
  await build('clang', STRICT)
}, 300_000)

async function build(compiler: string, flags: string[] = []): Promise<void> {
  await mkdir(folder(compiler), { recursive: true })
  const options = [`-DCMAKE_C_COMPILER=${compiler}`, '-DCMAKE_BUILD_TYPE=Debug']
  options.push(`-DCMAKE_C_FLAGS=${flags.join(' ')}`, '-DPORTHOUSE_TESTS=ON')
  options.push(`-DPORTHOUSE_WARNINGS=${WARNINGS.join(';')}`)
  await run('cmake', ['-G', 'Ninja', '-S', source, '-B', folder(compiler), ...options])
  await run('cmake', ['--build', folder(compiler)])
}

test('behaves as its tests say, under gcc', async () => {
  const { stdout, stderr } = await run(program('gcc'))
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^ok /)
})

test('and under clang with its sanitizers', async () => {
  const { stderr } = await run(program('clang'))
  expect(stderr).toBe('')
})

test('and valgrind sees nothing', { timeout: 60_000 }, async () => {
  const { stderr } = await run('valgrind', ['--quiet', '--error-exitcode=1', program('gcc')])
  expect(stderr).toBe('')
})
