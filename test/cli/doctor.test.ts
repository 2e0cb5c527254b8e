/** `porthouse doctor` finds what is wrong, and says what to do. */
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Finding } from '../../gateway/cli/doctor/finding.ts'
import { certificate } from '../support/certificate.ts'
import { DataFolder, porthouse, Running } from './process.ts'

let data: DataFolder

beforeAll(async () => {
  data = await DataFolder.open()
})
afterAll(() => data.close())

const FREE = { PORTHOUSE_HTTP: '127.0.0.1:0' }

async function examined(env: Record<string, string> = {}) {
  const options = { env: { ...data.env, ...FREE, ...env } }
  const { code, stdout, stderr } = await porthouse(['doctor', '--json'], options)
  expect(stderr).toBe('')
  const findings = JSON.parse(stdout) as Finding[]
  return { code, of: (check: string) => findings.find((each) => each.check === check), findings }
}

it('is content with what is well', async () => {
  const { code, findings, of } = await examined()
  expect(findings.filter(({ state }) => state === 'bad')).toEqual([])
  expect(code).toBe(0)
  for (const check of ['settings', 'Node', 'data folder', 'disk', 'store', 'clock of the store']) {
    expect(of(check)?.state).toBe('good')
  }
  const { stdout } = await porthouse(['doctor'], { env: { ...data.env, ...FREE } })
  expect(stdout).toMatch(/^ok {2}store +the embedded PostgreSQL answers$/m)
})

it('tells of a port that another program has', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const { code, of } = await examined({ PORTHOUSE_HTTP: `127.0.0.1:${port}` })
  expect(of('http.listen')).toMatchObject({
    state: 'bad',
    next: expect.stringContaining('http.listen'),
  })
  expect(code).toBe(1)
  other.close()
})

it('tells of certificates that are no good, and of those that soon are not', async () => {
  const { certFile, keyFile } = certificate(data.path)
  const folder = join(data.path, 'other')
  mkdirSync(folder)
  const other = certificate(folder)
  const tls = (PORTHOUSE_HTTP_TLS_CERT_FILE: string, PORTHOUSE_HTTP_TLS_KEY_FILE: string) =>
    examined({
      PORTHOUSE_HTTP_TLS_CERT_FILE,
      PORTHOUSE_HTTP_TLS_KEY_FILE,
      PORTHOUSE_HTTP_TLS_LISTEN: '127.0.0.1:0',
    })
  expect((await tls(certFile, keyFile)).of('http.tls')).toMatchObject({
    state: 'doubtful',
    detail: expect.stringMatching(/^good for [12] days$/),
  })
  const mixed = await tls(certFile, other.keyFile)
  expect(mixed.of('http.tls')).toMatchObject({
    state: 'bad',
    detail: expect.stringContaining('belong together'),
  })
  const broken = join(folder, 'broken.pem')
  writeFileSync(broken, 'x')
  expect((await tls(broken, keyFile)).of('http.tls')?.state).toBe('bad')
})

it('tells of a folder and a key that others may read (S4)', async () => {
  chmodSync(data.path, 0o755)
  const { code, of } = await examined()
  expect(of('data folder')).toMatchObject({ state: 'bad', next: `chmod 700 ${data.path}` })
  expect(code).toBe(1)
  chmodSync(data.path, 0o700)
  await porthouse(['operator', 'key'], { env: data.env })
  chmodSync(join(data.path, 'operator.key'), 0o644)
  const { of: later } = await examined()
  expect(later('operator key')).toMatchObject({
    state: 'bad',
    next: expect.stringContaining('--rotate'),
  })
  await porthouse(['operator', 'key', '--rotate'], { env: data.env })
  expect((await examined()).of('operator key')?.state).toBe('good')
})

it('tells of a store that is away', async () => {
  const DATABASE_URL = 'postgres://nobody:nothing@127.0.0.1:1/none'
  const { code, of } = await examined({ DATABASE_URL })
  expect(of('store')).toMatchObject({ state: 'bad', next: expect.stringContaining('DATABASE_URL') })
  expect(code).toBe(1)
})

it('asks the gateway that runs', async () => {
  const gateway = new Running(['run', '--http', '127.0.0.1:0'], { env: data.env })
  await gateway.says('porthouse listens on')
  const { code, of } = await examined()
  const checks = ['gateway', 'version', 'clock', 'http', 'mqtt']
  for (const check of checks) expect(of(check)?.state).toBe('good')
  expect(of('open files')).toBeDefined()
  expect(code).toBe(0)
  await gateway.stop()
})
