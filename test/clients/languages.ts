/** The languages that have a client, and how the samples of each are started. */
import { join } from 'node:path'
import { Running } from '../cli/process.ts'
import { root } from '../tidy/root.ts'
import { buildSamples, sampleFile } from './c/build.ts'

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

export const languages: readonly Language[] = [
  {
    name: 'TypeScript',
    build: async () => {},
    command: (sample) => [process.execPath, join(root, `clients/ts/samples/${sample}.ts`)],
  },
  { name: 'C', build: buildSamples, command: (sample) => [sampleFile(sample)] },
]

/** Starts a sample; the same arguments in every language. */
export function start({ command }: Language, sample: Sample, ...args: string[]): Running {
  const [file, ...first] = command(sample)
  return new Running([...first, ...args], { command: file })
}
