/** Programs of Python that tests use, each with its requirements in a folder of its own. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../tidy/root.ts'

const run = promisify(execFile)

/**
 * Folder of the programs of a virtual environment with these requirements, made where it is not
 * there; other requirements are another environment.
 */
export async function pythonEnvironment(name: string, requirements: string): Promise<string> {
  const version = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 8)
  const folder = join(root, '.tools', `${name}-${version}`)
  const bin = join(folder, 'bin')
  if (existsSync(folder)) return bin
  await mkdir(join(root, '.tools'), { recursive: true })
  // Two test files may install at once: each its own, and either is as good.
  const own = `${folder}.${process.pid}`
  await run('python3', ['-m', 'venv', own])
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-deps']
  await run(join(own, 'bin/python'), ['-m', 'pip', 'install', ...quiet, '-r', requirements])
  await rename(own, folder).catch(() => rm(own, { recursive: true }))
  return bin
}
