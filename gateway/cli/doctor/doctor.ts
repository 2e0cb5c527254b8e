/** `porthouse doctor`: looks at whatever a gateway needs, and says what to do about the rest. */
import type { Config } from '../../config/config.ts'
import { VERSION } from '../../observe/version.ts'
import { EXIT } from '../failure.ts'
import { print, printJson, styled } from '../output.ts'
import { reachOf } from '../reach/reach.ts'
import { runningOn } from '../reach/running.ts'
import { readSettings } from '../settings.ts'
import type { AdminOptions } from '../with-admin.ts'
import { checkCertificates } from './certificates.ts'
import { type Finding, good } from './finding.ts'
import { checkFolder } from './folder.ts'
import { checkGateway } from './gateway.ts'
import { checkLimits } from './limits.ts'
import { checkPorts } from './ports.ts'
import { checkStore } from './store.ts'

const MARKS = { good: 'ok', doubtful: 'hm', bad: 'no' } as const
const STYLES = { good: 'green', doubtful: 'yellow', bad: 'red' } as const

/** Ends with exit code 1 where something is bad. */
export async function examine(options: AdminOptions): Promise<void> {
  const { url, profile } = options
  const findings = (url ?? profile) ? await farFindings(options) : await nearFindings(options)
  if (findings.some(({ state }) => state === 'bad')) process.exitCode = EXIT.failed
  if (options.json) return printJson(findings)
  for (const finding of findings) printFinding(finding)
}

/** Of a gateway on another machine: what it tells of itself. */
async function farFindings(options: AdminOptions): Promise<Finding[]> {
  await reachOf(options)
  return checkGateway(options, VERSION)
}

async function nearFindings(options: AdminOptions): Promise<Finding[]> {
  const { config: file, data } = options
  const place = { ...(file && { config: file }), ...(data && { data }) }
  const { config } = readSettings(place)
  const running = await runningOn(config)
  return [
    good('settings', sourceOf(config, file)),
    good('Node', process.version),
    ...(await checkFolder(config)),
    ...(await checkStore(config, place)),
    ...(running ? [] : await checkPorts(config)),
    ...(await checkCertificates(config, Date.now())),
    ...(await checkLimits(config, running?.pid)),
    ...(running ? await checkGateway(options, VERSION, true) : []),
  ]
}

function sourceOf({ features }: Config, file: string | undefined): string {
  return `${file ?? 'defaults and environment'}; features ${features.join(', ')}`
}

function printFinding({ check, state, detail, next }: Finding): void {
  print(`${styled(STYLES[state], MARKS[state])}  ${check.padEnd(20)} ${detail}`)
  if (next !== undefined) print(`    ${''.padEnd(20)} -> ${next}`)
}
