/**
 * Prometheus as Debian has it: it scrapes a gateway both ways with the configs of deploy/, its
 * rules hold, and every expression asks for what there is.
 */
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { FAMILIES } from '../../gateway/observe/metrics/families.ts'
import { processPage } from '../../gateway/observe/metrics/process.ts'
import { ROWS } from '../../scripts/render/dashboard.ts'
import { Running } from '../cli/process.ts'
import { freePort } from '../store/debian.ts'
import { TestGateway } from '../support/gateway.ts'
import { fetchMetrics } from '../support/scrape.ts'

const DEPLOY = resolve(import.meta.dirname, '../../deploy/prometheus')
const RULES = 'porthouse.rules.yml'

let gateway: TestGateway
let folder: string
const servers: Running[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'porthouse-prometheus-'))
  gateway = await TestGateway.start({ metrics: { listen: '127.0.0.1:0' } })
  await copyFile(join(DEPLOY, RULES), join(folder, RULES))
  const key = `${await gateway.apiKey('auditor')}\n`
  await writeFile(join(folder, 'porthouse.key'), key, { mode: 0o600 })
})
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop('SIGKILL')))
  await gateway?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Resolves with what it says; rejects, with that too, where it is not content. */
function promtool(args: readonly string[], input = ''): Promise<string> {
  return new Promise((done, reject) => {
    const child = execFile('promtool', [...args], { cwd: folder }, (error, stdout, stderr) => {
      if (error) reject(new Error(`promtool ${args.join(' ')}\n${stdout}${stderr}`))
      else done(`${stdout}${stderr}`)
    })
    child.stdin?.end(input)
  })
}

/** Starts Prometheus by a config of deploy/, for this gateway; gives what asks it. */
async function prometheus(config: string, port: number) {
  const text = await readFile(join(DEPLOY, config), 'utf8')
  const own = text
    .replace(/"127\.0\.0\.1:\d+"/, `"127.0.0.1:${port}"`)
    .replace('scrape_interval: 15s', 'scrape_interval: 200ms\n  evaluation_interval: 200ms')
  await writeFile(join(folder, config), own)
  const at = `127.0.0.1:${await freePort()}`
  const files = [`--config.file=${config}`, `--storage.tsdb.path=${config}.data`]
  const args = [...files, `--web.listen-address=${at}`, '--log.level=info']
  const server = new Running(args, { command: 'prometheus', cwd: folder })
  servers.push(server)
  await server.says('Server is ready to receive web requests', 'stderr')
  return async (path: string) => {
    const response = await fetch(`http://${at}/api/v1/${path}`)
    return ((await response.json()) as { data: Answer }).data
  }
}

interface Answer {
  readonly result: readonly { readonly metric: object; readonly value: readonly unknown[] }[]
  readonly groups: readonly { readonly rules: readonly { name: string; health: string }[] }[]
}

describe.each([
  ['with a key', 'prometheus.yml', () => gateway.port],
  ['on the open listener', 'prometheus-open.yml', () => gateway.metricsPort],
] as const)('scraped %s', (_, config, port) => {
  test('it answers what the gateway counts, and works out the rules', {
    timeout: 60_000,
  }, async () => {
    const ask = await prometheus(config, port())
    const query = async (expression: string) =>
      (await ask(`query?query=${encodeURIComponent(expression)}`)).result.map(
        ({ value }) => value[1],
      )
    const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 30_000 })
    await eventually(async () => expect(await query('up{job="porthouse"}')).toEqual(['1']))
    expect(await query('count(porthouse_build_info)')).toEqual(['1'])
    expect(await query('sum(porthouse_connections) > bool 0')).toEqual(['1'])
    await eventually(async () => {
      const { groups } = await ask('rules')
      const rules = groups.flatMap((group) => group.rules)
      expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
      expect(rules.length).toBeGreaterThan(15)
    })
    const recorded = 'count(porthouse:messages_received:rate5m) > bool 0'
    await eventually(async () => expect(await query(recorded)).toEqual(['1']))
  })
})

describe('promtool', () => {
  test('has nothing to say of the page', async () => {
    await gateway.room('acme/hall')
    const page = await (await fetchMetrics(gateway.metricsPort)).text()
    expect(await promtool(['check', 'metrics'], page)).toBe('')
  })

  test('takes the rules, and their tests pass', async () => {
    await promtool(['check', 'rules', join(DEPLOY, RULES)])
    await promtool(['test', 'rules', join(DEPLOY, 'porthouse.rules.test.yml')])
  })

  test('takes the configs', async () => {
    for (const config of ['prometheus.yml', 'prometheus-open.yml']) {
      await copyFile(join(DEPLOY, config), join(folder, `check-${config}`))
      await promtool(['check', 'config', `check-${config}`])
    }
  })

  test('takes every expression of the dashboard', async () => {
    const rules = dashboard().map((expr, i) => ({ record: `dashboard:${i}`, expr }))
    await writeFile(
      join(folder, 'dashboard.yml'),
      JSON.stringify({ groups: [{ name: 'd', rules }] }),
    )
    await promtool(['check', 'rules', 'dashboard.yml'])
  })
})

describe('every expression asks for metrics and labels that there are', () => {
  const known = new Map<string, readonly string[]>()
  for (const { name, type, labels = [] } of FAMILIES) {
    known.set(name, labels)
    if (type !== 'histogram') continue
    for (const end of ['bucket', 'sum', 'count']) known.set(`${name}_${end}`, [...labels, 'le'])
  }
  for (const { name } of processPage().getMetricsAsArray()) {
    for (const end of ['', '_bucket', '_sum', '_count']) known.set(`${name}${end}`, ['kind', 'le'])
  }
  known.set('up', [])

  test.each([
    ['the dashboard', async () => dashboard()],
    ['the rules', rules],
  ])('%s', async (_, expressions) => {
    const all = await expressions()
    expect(all.length).toBeGreaterThan(15)
    for (const expression of all) {
      const names = expression.match(/\b(porthouse_|nodejs_|process_|up\b)\w*/g) ?? []
      const recorded = expression.includes('porthouse:')
      expect(names.filter((name) => !known.has(name))).toEqual([])
      expect([expression, names.length > 0 || recorded]).toEqual([expression, true])
      const labels = new Set([...names.flatMap((name) => known.get(name) ?? []), 'instance', 'job'])
      const used = [
        ...[...expression.matchAll(/by \(([^)]*)\)/g)].flatMap(([, by = '']) => by.split(', ')),
        ...[...expression.matchAll(/(\w+)(?:=~|!=|=)"/g)].map(([, label = '']) => label),
      ]
      expect([expression, used.filter((label) => !labels.has(label))]).toEqual([expression, []])
    }
  })
})

/** As Prometheus gets them, when all gateways are chosen. */
function dashboard(): string[] {
  const lines = ROWS.flatMap(({ panels }) => panels).flatMap((panel) => panel.lines)
  return lines.map(([expression]) =>
    expression.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*'),
  )
}

async function rules(): Promise<string[]> {
  const { groups } = parse(await readFile(join(DEPLOY, RULES), 'utf8')) as {
    groups: { rules: { expr: string }[] }[]
  }
  return groups.flatMap((group) => group.rules.map(({ expr }) => expr))
}
