import { configDefaults, defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Folders whose tests keep all they have to themselves and are many and short: their files share a
 * process, which has loaded the gateway once.
 */
const LIGHT = [
  'config',
  'identity',
  'locks',
  'mqtt/{connect,delivery,listeners,mapping,normative,wire}',
  'observe',
  'protocol',
  'rooms',
  'router',
  'session',
]

/** Small files that take long; vitest begins with large ones, and would end with these. */
const LONG = ['acceptance/schemathesis', 'clients/go', 'crash/paused', 'crash/slow-consumer']

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => LONG.some((name) => moduleId.includes(name))
    const sorted = await super.sort(files)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

const light = LIGHT.map((folder) => `test/${folder}/**/*.test.ts`)

export default defineConfig({
  test: {
    // Tests start real servers and databases: two files at a time, each in a process of its own.
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
    testTimeout: 30_000,
    // Of what is waited for: a machine that does much else takes its time.
    expect: { poll: { timeout: 15_000 } },
    hookTimeout: 60_000,
    reporters: ['default'],
    projects: [
      { extends: true, test: { name: 'light', include: light, isolate: false } },
      {
        extends: true,
        test: {
          name: 'heavy',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...light],
        },
      },
    ],
  },
})
