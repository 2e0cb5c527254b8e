/** Programs that the bench needs beside Node: the generator, built from source, and nats-server. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { GENERATOR_CPU, runProgram } from './process.ts'

export const NATS_VERSION = 'v2.15.2'
const BUILD_LIMIT_MS = 300_000

export const root = join(import.meta.dirname, '..')
const bin = join(root, '.tools/bin')
const generator = join(bin, 'bench-generator')
const nats = join(bin, 'nats-server')

async function go(args: readonly string[], env: Record<string, string> = {}): Promise<void> {
  try {
    await runProgram({ file: 'go', args, env, cpu: GENERATOR_CPU }, BUILD_LIMIT_MS)
  } catch (cause) {
    throw new Error('the bench needs Go 1.24 or later, and the network once for nats-server', {
      cause,
    })
  }
}

/** Builds the generator and gives its path. */
export async function buildGenerator(): Promise<string> {
  await mkdir(bin, { recursive: true })
  await go(['build', '-C', join(import.meta.dirname, 'generator'), '-o', generator, '.'])
  return generator
}

/** Installs nats-server, unless this version is there already, and gives its path. */
export async function installNats(): Promise<string> {
  const version = { file: nats, args: ['--version'], cpu: GENERATOR_CPU }
  const present = await runProgram(version, 10_000).catch(() => '')
  if (!present.includes(NATS_VERSION)) {
    const module = `github.com/nats-io/nats-server/v2@${NATS_VERSION}`
    await go(['install', module], { GOBIN: bin })
  }
  return nats
}
