/** The client in C, built as its users build it: by CMake. */
import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../../tidy/root.ts'

export const run = promisify(execFile)
export const source = join(root, 'clients/c')

const build = join(source, 'build')

/** What sanitizers see ends the program, with their words on stderr. */
export const STRICT = [
  ...['-Wall', '-Wextra', '-Werror'],
  ...['-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
]

/** Builds all samples, with sanitizers. Test files may ask at once: the first one builds. */
export async function buildSamples(): Promise<void> {
  await mkdir(build, { recursive: true })
  const flags = [`-DCMAKE_C_FLAGS=${STRICT.join(' ')}`, '-DCMAKE_BUILD_TYPE=Debug']
  const locked = (...command: string[]) => run('flock', [join(build, 'lock'), ...command])
  await locked('cmake', '-S', source, '-B', build, '-DPORTHOUSE_SAMPLES=ON', ...flags)
  await locked('cmake', '--build', build, '--parallel', '2')
}

/** Where a sample is then. */
export const sampleFile = (name: string): string => join(build, 'samples', name)
