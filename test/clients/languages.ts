/** The languages that have a client, and how the samples of each are started. */
import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Running } from '../cli/process.ts'
import { root } from '../tidy/root.ts'
import { buildSamples, sampleFile } from './c/build.ts'

const run = promisify(execFile)

/** The first time the network is asked for libraries. */
export const BUILD_MS = 300_000

export type Sample = 'hello' | 'chat' | 'device' | 'history' | 'lock-dance' | 'responder'

export interface Language {
  readonly name: string
  /** Builds what is not built yet, within BUILD_MS. */
  build(): Promise<unknown>
  /** The command line of a sample, to which its arguments are added. */
  command(sample: Sample): readonly [string, ...string[]]
}

const goSamples = join(root, '.tools/bin/go-samples')

export const languages: readonly Language[] = [
  {
    name: 'TypeScript',
    build: async () => {},
    command: (sample) => [process.execPath, join(root, `clients/ts/samples/${sample}.ts`)],
  },
  { name: 'C', build: buildSamples, command: (sample) => [sampleFile(sample)] },
  {
    name: 'Go',
    async build() {
      await mkdir(goSamples, { recursive: true })
      const args = ['-C', join(root, 'clients/go'), '-o', goSamples, './samples/...']
      await run('go', ['build', ...args])
    },
    command: (sample) => [join(goSamples, sample)],
  },
]

/** Starts a sample; the same arguments in every language. */
export function start({ command }: Language, sample: Sample, ...args: string[]): Running {
  const [file, ...first] = command(sample)
  return new Running([...first, ...args], { command: file })
}
