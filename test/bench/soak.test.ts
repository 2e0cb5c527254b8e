/** A soak in short: the gateway as it is, and one that forgets nobody. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { afterWarmUp, bounds } from '../../bench/soak/bounds.ts'
import { soak } from '../../bench/soak/soak.ts'
import { judge } from '../../bench/soak/verdict.ts'

/** So soon after its start a gateway's memory grows for what V8 compiles. */
const any = { perMinute: Infinity, perThousandRounds: Infinity }
const short = { ...bounds, used: any, resident: any }
const SECONDS = 7
const ROUNDS = 8
const SHARE = 1 / 4

async function soaked(env: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), 'porthouse-soak-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20 }))
  const found = await soak({
    seconds: SECONDS,
    rounds: ROUNDS,
    share: SHARE,
    counted: ['sessions'],
    folder,
    env,
  })
  const parts = Object.keys(found.tallies).filter((name) => !name.startsWith('slow'))
  return { grows: judge(afterWarmUp(found.samples), short).grows, parts: parts.toSorted(), found }
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

test('a gateway that forgets no session is found out, small as they are', {
  timeout: 300_000,
}, async () => {
  const leak = join(import.meta.dirname, 'forgetful.ts')
  expect((await soaked({ NODE_OPTIONS: `--import=${leak}` })).grows).toContain('sessions')
})
