/**
 * Runs vitest and ends with the line `N passed, N failed`. A file that does not load and an error
 * outside any test count as one failure each, so that a crash never looks like a pass.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

interface Report {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  testResults: { status: string; assertionResults: { status: string }[] }[]
}

/**
 * Something hangs that should have ended long ago; what has been counted until then still counts.
 */
const LIMIT_MS = 60 * 60_000

const reportFile = '.tools/test-report.json'
rmSync(reportFile, { force: true })
const { status } = spawnSync(
  'node_modules/.bin/vitest',
  [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportFile}`,
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit', timeout: LIMIT_MS, killSignal: 'SIGKILL' },
)

const { passed, failed, skipped } = count()
if (skipped > 0) console.log(`${skipped} skipped`)
const tally = `${passed} passed, ${failed} failed`
writeFileSync('.tools/tally', `${tally}\n`)
console.log(tally)
process.exitCode = failed > 0 ? 1 : 0

function count(): { passed: number; failed: number; skipped: number } {
  if (!existsSync(reportFile)) return { passed: 0, failed: 1, skipped: 0 }
  const report = JSON.parse(readFileSync(reportFile, 'utf8')) as Report
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((t) => t.status !== 'failed'),
  )
  let failed = report.numFailedTests + broken.length
  if (status !== 0 && failed === 0) failed = 1
  return { passed: report.numPassedTests, failed, skipped: report.numPendingTests }
}
