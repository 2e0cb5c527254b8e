/** The core of the client in C and its tests, built once by each compiler and kept. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '../../tidy/root.ts'
import { run, STRICT, source } from './build.ts'

const WARNINGS = ['-pedantic', '-Wall', '-Wextra', '-Wshadow', '-Wconversion', '-Werror']

/** With clang the sanitizers look on. Gives the folder of what is built, within minutes. */
export async function buildCore(compiler: 'gcc' | 'clang'): Promise<string> {
  const folder = join(root, '.tools/c', compiler)
  await mkdir(folder, { recursive: true })
  const flags = compiler === 'clang' ? STRICT : []
  const options = [`-DCMAKE_C_COMPILER=${compiler}`, '-DCMAKE_BUILD_TYPE=Debug']
  options.push(`-DCMAKE_C_FLAGS=${flags.join(' ')}`, '-DPORTHOUSE_TESTS=ON')
  options.push(`-DPORTHOUSE_WARNINGS=${WARNINGS.join(';')}`)
  // Test files may ask at once: the first one builds.
  const locked = (...command: string[]) => run('flock', [join(folder, 'lock'), ...command])
  await locked('cmake', '-G', 'Ninja', '-S', source, '-B', folder, ...options)
  await locked('cmake', '--build', folder)
  return folder
}
