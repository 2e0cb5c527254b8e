/** A soak in short: the gateway as it is, and one that forgets nobody. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { afterWarmUp } from '../../bench/soak/bounds.ts'
import { soak } from '../../bench/soak/soak.ts'
import { judge } from '../../bench/soak/verdict.ts'

/**
 * KB. So soon after its start a gateway still grows by some hundred a round, for what V8 compiles;
 * what is planted grows by some 1,500. The bounds of a long soak stand in bounds.ts.
 */
const used = { perMinute: Infinity, perThousandRounds: 1_000_000 }
const bounds = { used, resident: { perMinute: Infinity, perThousandRounds: Infinity } }
const SECONDS = 8
const SHARE = 1 / 4

async function soaked(env: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), 'porthouse-soak-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20 }))
  const found = await soak({ seconds: SECONDS, share: SHARE, folder, env })
  const parts = Object.keys(found.tallies).filter((name) => !name.startsWith('slow'))
  return { grows: judge(afterWarmUp(found.samples), bounds).grows, parts: parts.toSorted(), found }
}

test('the gateway is flat, and everybody has found what he came for', {
  timeout: 300_000,
}, async () => {
  const { grows, parts, found } = await soaked({})
  expect(grows).toEqual([])
  expect(parts).toEqual([
    'devices',
    'dropped with their token',
    'posts',
    'reconnections',
    'rooms built and deleted',
    'sleepers',
    'strangers',
    'visits',
  ])
  const rounds = found.samples.length
  expect(found.tallies['slow readers dropped']).toBe(rounds)
  expect(found.tallies['slow readers told what they lost']).toBe(rounds)
})

test('a gateway that forgets no session is found out', { timeout: 300_000 }, async () => {
  const leak = join(import.meta.dirname, 'forgetful.ts')
  expect((await soaked({ NODE_OPTIONS: `--import=${leak}` })).grows).toEqual(['used'])
})
