import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Tests start real servers and databases: files run in processes of their own, two at a time.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    // Of what is waited for: a machine that does much else takes its time.
    expect: { poll: { timeout: 15_000 } },
    hookTimeout: 60_000,
    reporters: ['default'],
  },
})
