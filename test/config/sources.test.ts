import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { variableOf } from '../../gateway/config/environment.ts'
import { FLAGS, type Flags, loadConfig } from '../../gateway/config/load.ts'
import { formatEndpoint } from '../../gateway/config/setting.ts'
import { KEYS, valueAt } from '../../gateway/config/tree.ts'

const folder = mkdtempSync(join(tmpdir(), 'porthouse-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

const defaults = loadConfig({ env: {} }).config

function fileWith(settings: unknown): string {
  const file = join(folder, 'porthouse.json')
  writeFileSync(file, JSON.stringify(settings))
  return file
}

function tree(key: string, value: unknown): object {
  return key.split('.').reduceRight((inner, name) => ({ [name]: inner }), value) as object
}

/** A value other than the default, as a file has it, and as text. */
function values(key: string): fc.Arbitrary<{ value: unknown; text: string }> {
  const before = valueAt(defaults, key)
  const same = (value: string) => ({ value, text: value })
  const many = (value: string[]) => ({ value, text: value.join(',') })
  if (key.endsWith('listen')) {
    const host = fc.constantFrom('127.0.0.1', '0.0.0.0', '::1', 'localhost', 'a-b.example')
    const endpoint = fc.record({ host, port: fc.nat(65_535) })
    return endpoint.map((one) => same(formatEndpoint(one)))
  }
  if (key === 'http.origins') {
    const origins = ['*', 'https://a.example', 'http://b.example:81']
    return fc.subarray(origins, { minLength: 1 }).map(many)
  }
  if (key === 'http.trustedProxies') {
    return fc
      .subarray(['10.0.0.0/8', '192.0.2.7', '::1', '2001:db8::/32'], { minLength: 1 })
      .map(many)
  }
  if (key === 'admin.oidc.issuer') return fc.constantFrom('https://id.example').map(same)
  if (key === 'admin.oidc.audience') return fc.constantFrom('hub').map(same)
  if (key === 'admin.oidc.claim') return fc.constantFrom('role').map(same)
  if (key === 'http.publicUrl') return fc.constantFrom('https://hub.example').map(same)
  if (key === 'mqtt.serverReference') return fc.constantFrom('other.example:8883').map(same)
  if (key === 'features') return fc.subarray(['websocket', 'mqtt'], { minLength: 1 }).map(many)
  if (key === 'log') return fc.constantFrom('silent', 'debug', 'error').map(same)
  if (['data', 'programs.folder', 'traces.sdk'].includes(key))
    return fc.constantFrom('/srv/porthouse', '/tmp/a b').map(same)
  if (key === 'databaseUrl')
    return fc.constantFrom('postgres://u:p@h:1/d', 'postgresql:///d').map(same)
  if (typeof before === 'boolean') return fc.boolean().map((value) => ({ value, text: `${value}` }))
  // Near the default, so that bounds which depend on each other stay in order.
  const near = fc.integer({ min: Math.max(0, Number(before) - 1), max: Number(before) })
  return near.map((value) => ({ value, text: `${value}` }))
}

/** A certificate and its key come together or not at all. */
const alone = KEYS.filter((key) => !/\.tls\.(cert|key)File$/.test(key))

const settings = fc
  .constantFrom(...alone)
  .chain((key) => values(key).map((written) => ({ key, ...written })))

describe('where settings stand', () => {
  it('does not matter: file, environment and program give the same value', () => {
    fc.assert(
      fc.property(settings, ({ key, value, text }) => {
        const inFile = loadConfig({ env: {}, file: fileWith(tree(key, value)) })
        const asText = loadConfig({ env: {}, file: fileWith(tree(key, text)) })
        const inEnv = loadConfig({ env: { [variableOf(key)]: text } })
        const given = loadConfig({ env: {}, settings: tree(key, value) })
        expect(asText.config).toEqual(inFile.config)
        expect(inEnv.config).toEqual(inFile.config)
        expect(given.config).toEqual(inFile.config)
        expect(inEnv.sources.get(key)).toBe(variableOf(key))
      }),
    )
  })

  it('does not matter for flags either', () => {
    const flags = fc.constantFrom(...(Object.keys(FLAGS) as (keyof Flags)[]))
    const flagged = flags.chain((flag) => values(FLAGS[flag]).map((one) => ({ flag, ...one })))
    fc.assert(
      fc.property(flagged, ({ flag, value, text }) => {
        const byFlag = loadConfig({ env: {}, flags: { [flag]: text } })
        expect(byFlag.config).toEqual(
          loadConfig({ env: {}, settings: tree(FLAGS[flag], value) }).config,
        )
        expect(byFlag.sources.get(FLAGS[flag])).toBe(`--${flag}`)
      }),
    )
  })

  it('decides: flag before environment before file before default', () => {
    const file = fileWith({ http: { listen: '127.0.0.1:1' }, log: 'debug', drainMs: 7 })
    const env = { PORTHOUSE_HTTP: '127.0.0.1:2', PORTHOUSE_LOG: 'warn', PORTHOUSE_CONFIG: file }
    const { config, sources } = loadConfig({ env, flags: { http: '127.0.0.1:3' } })
    expect(config.http.listen).toEqual({ host: '127.0.0.1', port: 3 })
    expect(config.log).toBe('warn')
    expect(config.drainMs).toBe(7)
    expect(config.heartbeatMs).toBe(25_000)
    const from = ['http.listen', 'log', 'drainMs', 'heartbeatMs'].map((key) => sources.get(key))
    expect(from).toEqual(['--http', 'PORTHOUSE_LOG', file, 'default'])
  })

  it('names the stable variables', () => {
    const keys = ['http.listen', 'mqtt.listen', 'data', 'databaseUrl', 'limbo.deadlineMs']
    expect(keys.map(variableOf)).toEqual([
      'PORTHOUSE_HTTP',
      'PORTHOUSE_MQTT',
      'PORTHOUSE_DATA',
      'DATABASE_URL',
      'PORTHOUSE_LIMBO_DEADLINE_MS',
    ])
  })

  it('may be a section within a section', () => {
    const tls = { certFile: '/etc/c.pem', keyFile: '/etc/k.pem' }
    const { config } = loadConfig({ env: {}, file: fileWith({ mqtt: { tls } }) })
    expect(config.mqtt.tls).toEqual({ listen: { host: '127.0.0.1', port: 8883 }, ...tls })
    const env = {
      PORTHOUSE_MQTT_TLS_CERT_FILE: '/etc/c.pem',
      PORTHOUSE_MQTT_TLS_KEY_FILE: '/etc/k.pem',
      PORTHOUSE_MQTT_TLS_LISTEN: 'off',
    }
    expect(loadConfig({ env }).config.mqtt.tls).toEqual({ listen: 'off', ...tls })
  })

  it('takes a data folder from where the file is, or from the current folder', () => {
    const inFile = loadConfig({ env: {}, file: fileWith({ data: 'state' }) })
    expect(inFile.config.data).toBe(join(folder, 'state'))
    expect(loadConfig({ env: {}, flags: { data: 'state' } }).config.data).toBe(
      join(process.cwd(), 'state'),
    )
  })

  it('counts an empty variable as unset', () => {
    expect(loadConfig({ env: { PORTHOUSE_HTTP: '', PORTHOUSE_FEATURES: '' } }).config).toEqual(
      defaults,
    )
  })

  it('gives a config that nothing can change', () => {
    expect(() => {
      ;(defaults as { drainMs: number }).drainMs = 1
    }).toThrow(TypeError)
    expect(() => (defaults.features as string[]).push('x')).toThrow(TypeError)
    expect(Object.isFrozen(defaults.http.listen)).toBe(true)
  })
})
