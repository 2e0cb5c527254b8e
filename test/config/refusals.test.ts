import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadConfig, type Sources } from '../../gateway/config/load.ts'
import { ConfigError } from '../../gateway/config/problem.ts'

const folder = mkdtempSync(join(tmpdir(), 'porthouse-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

function problems(sources: Sources): string[] {
  try {
    loadConfig({ env: {}, ...sources })
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

function fileOf(text: string): string {
  const file = join(folder, 'porthouse.json')
  writeFileSync(file, text)
  return file
}

describe('a wrong config', () => {
  it.each([
    ['http.listen', { http: { listen: '8080' } }, '"8080"', 'HOST:PORT'],
    ['http.listen', { http: { listen: '127.0.0.1:65536' } }, '"127.0.0.1:65536"', '0 to 65535'],
    ['mqtt.listen', { mqtt: { listen: 'a:b' } }, '"a:b"', 'HOST:PORT'],
    ['mqtt.listen', { mqtt: { listen: 'no' } }, '"no"', 'or off'],
    ['mqtt.tls', { mqtt: { tls: 1 } }, '1', 'an object'],
    ['mqtt.tls.listen', { mqtt: { tls: { listen: '' } } }, '""', 'HOST:PORT'],
    ['mqtt.tls.certFile', { mqtt: { tls: { certFile: 'c' } } }, '"c"', 'with mqtt.tls.keyFile'],
    ['mqtt.tls.keyFile', { mqtt: { tls: { keyFile: 'k' } } }, '"k"', 'with mqtt.tls.certFile'],
    ['http.tls.certFile', { http: { tls: { certFile: 'c' } } }, '"c"', 'with http.tls.keyFile'],
    ['admin.tls.keyFile', { admin: { tls: { keyFile: 'k' } } }, '"k"', 'with admin.tls.certFile'],
    ['admin.listen', { admin: { listen: '8081' } }, '"8081"', 'or off'],
    ['http.streams', { http: { streams: 0 } }, '0', 'from 1'],
    ...['10.0.0.0/33', '10.0.0', 'proxy.example', '::1/129', '10.0.0.1/8/8', '*'].map(
      (one): [string, object, string, string] => [
        'http.trustedProxies',
        { http: { trustedProxies: [one] } },
        `["${one}"]`,
        '10.0.0.0/8',
      ],
    ),
    ['mqtt.inflight', { mqtt: { inflight: 65_536 } }, '65536', 'from 1 to 65535'],
    ['mqtt.keepAliveMaxS', { mqtt: { keepAliveMaxS: -1 } }, '-1', 'seconds from 0 to 65535'],
    ['http.origins', { http: { origins: ['a.example'] } }, '["a.example"]', 'https://app.example'],
    ['features', { features: ['websockets'] }, '["websockets"]', 'websocket, mqtt'],
    ['log', { log: 'loud' }, '"loud"', 'debug'],
    ['heartbeatMs', { heartbeatMs: 'often' }, '"often"', 'milliseconds from 50'],
    ['heartbeatMs', { heartbeatMs: 1 }, '1', 'milliseconds from 50'],
    ['limits.headers', { limits: { headers: 1.5 } }, '1.5', 'a whole number from 0'],
    ['limits.headers', { limits: { headers: 2 ** 31 } }, '2147483648', 'to 2147483647'],
    ['limbo', { limbo: 3 }, '3', 'an object'],
    ['demo', { demo: 'maybe' }, '"maybe"', 'true or false'],
    ['data', { data: '' }, '""', 'a folder'],
    ['databaseUrl', { databaseUrl: 'file:x' }, '"file:x"', 'postgres://'],
  ])(
    'is refused with the key %s, the value and what is allowed: %j',
    (key, settings, value, allowed) => {
      const [problem, ...more] = problems({ settings: settings as never })
      expect(more).toEqual([])
      expect(problem).toContain(`${key} is ${value} `)
      expect(problem).toContain('allowed is')
      expect(problem).toContain(allowed)
    },
  )

  it('is refused with where the value stood', () => {
    expect(problems({ flags: { log: 'loud' } })[0]).toContain('(--log)')
    expect(problems({ env: { PORTHOUSE_LOG: 'loud' } })[0]).toContain('(PORTHOUSE_LOG)')
    const file = fileOf('{"log":"loud"}')
    expect(problems({ file })[0]).toContain(`(${file})`)
  })

  it('is told all at once', () => {
    expect(
      problems({ settings: { log: 'loud' } as never, env: { PORTHOUSE_DEMO: 'x' } }),
    ).toHaveLength(2)
  })

  it.each([
    ['limits.frameBytes', { limits: { packetBytes: 2048 } }, 'limits.packetBytes, which is 2048'],
    ['limits.payloadBytes', { limits: { payloadBytes: 600_000 } }, 'limits.frameBytes'],
    ['limits.frameBytes', { outbox: { bytes: 4096 } }, 'outbox.bytes, which is 4096'],
  ])('is refused where %s is over a bound that it depends on', (key, settings, bound) => {
    const told = problems({ settings })
    expect(told.some((one) => one.startsWith(`${key} is `) && one.includes(bound))).toBe(true)
  })

  it.each([
    ['heartbeatMS', { heartbeatMS: 1 }, 'heartbeatMs'],
    ['limits.frames', { limits: { frames: 1 } }, 'limbo.frames'],
    ['htp', { htp: {} }, 'http'],
    ['mqtt.tls.certfile', { mqtt: { tls: { certfile: 'c' } } }, 'mqtt.tls.certFile'],
  ])('with the unknown key %s is refused with the nearest known one', (key, settings, meant) => {
    expect(problems({ settings: settings as never })).toEqual([
      `${key} is not a setting (the program); did you mean ${meant}?`,
    ])
  })

  it('with names of Object.prototype is refused like any other', () => {
    const file = fileOf('{"__proto__":{"log":"info"},"constructor":1,"http":{"toString":2}}')
    expect(problems({ file })).toHaveLength(3)
  })

  it('with a slip of the pen in a variable is refused, with a stranger to us is not', () => {
    expect(problems({ env: { PORTHOUSE_HTPP: '127.0.0.1:1' } })).toEqual([
      'PORTHOUSE_HTPP is not a setting; did you mean PORTHOUSE_HTTP?',
    ])
    expect(problems({ env: { PORTHOUSE_SERVICE_HOST: '10.0.0.1', PORTHOUSE_URL: 'x' } })).toEqual(
      [],
    )
  })

  it('in a file that is missing or no JSON object is refused with the file', () => {
    expect(problems({ file: join(folder, 'none.json') })[0]).toContain('none.json cannot be read')
    expect(problems({ file: fileOf('{"log":') })[0]).toContain('cannot be read')
    expect(problems({ file: fileOf('[]') })[0]).toContain('must hold a JSON object')
  })

  it('never shows the password of a database', () => {
    const [problem] = problems({ settings: { databaseUrl: 'mysql://u:secret@h/d' } as never })
    expect(problem).toContain('mysql://u:***@h/d')
    expect(problem).not.toContain('secret')
  })
})
