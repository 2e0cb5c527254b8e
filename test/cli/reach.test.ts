/** Which gateway a command administers, and as whom. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestGateway } from '../support/gateway.ts'
import { DataFolder, json, porthouse, Running } from './process.ts'

const empty = mkdtempSync(join(tmpdir(), 'porthouse-reach-'))
afterAll(() => rmSync(empty, { recursive: true }))

interface Account {
  slug: string
}

interface Entry {
  principal: string
  remote: string
  method: string
  resource: string
}

describe('a gateway by its URL', () => {
  let gateway: TestGateway
  /** Nothing of the data folder. */
  const nowhere = { PORTHOUSE_DATA: empty, XDG_CONFIG_HOME: empty }
  beforeAll(async () => {
    gateway = await TestGateway.start()
    await gateway.store.accounts.create({ slug: 'acme' })
    await gateway.store.accounts.create({ slug: 'other' })
  })
  afterAll(() => gateway.stop())

  it('is administered by an API key, as far as that goes', async () => {
    const env = {
      ...nowhere,
      PORTHOUSE_URL: gateway.url,
      PORTHOUSE_API_KEY: await gateway.apiKey('owner', 'acme'),
    }
    expect(await json<Account[]>(['account', 'list'], { env })).toMatchObject([{ slug: 'acme' }])
    const foreign = await porthouse(['account', 'show', 'other'], { env })
    expect(foreign.code).toBe(1)
    expect(foreign.stderr).toContain('there is no account other')
    const beyond = await porthouse(['account', 'create', 'more', '--json'], { env })
    expect(beyond.code).toBe(3)
    expect(JSON.parse(beyond.stderr)).toMatchObject({ error: { code: 'ROLE_NOT_PERMITTED' } })
    const args = ['audit', 'list', 'acme', '--url', gateway.url.replace('ws', 'http')]
    expect(await json<Entry[]>(args, { env })).toEqual([])
  })

  it('is administered by the operator key of the data folder', async () => {
    const env = { ...nowhere, PORTHOUSE_URL: gateway.url, PORTHOUSE_DATA: gateway.data }
    const all = await json<Account[]>(['account', 'list'], { env })
    expect(all.map(({ slug }) => slug)).toEqual(['acme', 'other'])
    const { secret } = await json<{ secret: string }>(['operator', 'key'], { env })
    expect(secret).toBe(await gateway.operatorKey())
  })

  it('has API keys made, listed and deleted, and says who did it', async () => {
    const env = { ...nowhere, PORTHOUSE_URL: gateway.url, PORTHOUSE_DATA: gateway.data }
    const args = ['api-key', 'create', 'acme', '--role', 'admin', '--label', 'ci']
    const { secret, ...made } = await json<{ id: string; secret: string }>(args, { env })
    expect(made).toMatchObject({ account: 'acme', role: 'admin', label: 'ci' })
    expect(await json(['api-key', 'list', 'acme'], { env })).toContainEqual(made)
    const asAdmin = { ...nowhere, PORTHOUSE_URL: gateway.url, PORTHOUSE_API_KEY: secret }
    expect(await json(['account', 'list'], { env: asAdmin })).toMatchObject([{ slug: 'acme' }])
    await json(['api-key', 'delete', 'acme', made.id], { env })
    const again = await porthouse(['api-key', 'delete', 'acme', made.id], { env })
    expect(again.stderr).toContain('porthouse api-key list acme')
    const entries = await json<Entry[]>(['audit', 'list', 'acme', '--last', '3'], { env })
    expect(entries).toMatchObject([
      { method: 'ApiKeyService/DeleteApiKey', code: 'RESOURCE_UNKNOWN' },
      { method: 'ApiKeyService/DeleteApiKey', principal: 'operator', remote: '127.0.0.1' },
      { method: 'ApiKeyService/CreateApiKey', resource: `accounts/acme/apiKeys/${made.id}` },
    ])
    expect(JSON.stringify(entries)).not.toContain(secret)
  })

  it('tells each field that is wrong, on a line of its own', async () => {
    const env = { ...nowhere, PORTHOUSE_URL: gateway.url, PORTHOUSE_DATA: gateway.data }
    const args = ['api-key', 'create', 'acme', '--role', 'operator']
    const { code, stderr } = await porthouse(args, { env })
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'porthouse: apiKey.role: has to be owner, admin or auditor here\n',
    })
  })

  it('is told by what to do where nobody may be asked', async () => {
    const url = gateway.url.replace('ws', 'http')
    const cases = [
      [{ PORTHOUSE_URL: gateway.url }, 3, `porthouse login --url ${url}`],
      [{ PORTHOUSE_URL: gateway.url, PORTHOUSE_API_KEY: 'wrong' }, 3, 'porthouse login'],
      [{ PORTHOUSE_URL: 'http://hub.example' }, 3, 'porthouse login --url http://hub.example'],
      [{ PORTHOUSE_URL: 'nonsense' }, 2, 'write http://HOST:PORT'],
      [{ PORTHOUSE_URL: 'ws://127.0.0.1:1', PORTHOUSE_API_KEY: 'x' }, 4, 'porthouse run'],
    ] as const
    for (const [env, code, words] of cases) {
      const ended = await porthouse(['account', 'list'], { env: { ...nowhere, ...env } })
      expect({ code: ended.code, told: ended.stderr.includes(words) }).toEqual({ code, told: true })
    }
  })
})

describe('a gateway on a data folder', () => {
  let data: DataFolder
  let env: Record<string, string>
  beforeAll(async () => {
    data = await DataFolder.open()
    env = { ...data.env, XDG_CONFIG_HOME: empty }
    await data.store.accounts.create({ slug: 'acme' })
  })
  afterAll(() => data.close())
  const gone = () => porthouse(['account', 'delete', 'none'], { env })
  const lastRemote = async () => (await json<Entry[]>(['audit', 'list'], { env }))[0]?.remote

  it('is found there while it runs, and the store is asked where none does', async () => {
    const file = join(data.path, 'gateway.json')
    const gateway = new Running(['run', '--http', '127.0.0.1:0', '--mqtt', 'off'], { env })
    await gateway.says('listens on')
    await expect.poll(() => existsSync(file)).toBe(true)
    const said = JSON.parse(readFileSync(file, 'utf8')) as { url: string; pid: number }
    expect(said.pid).toBe(gateway.process.pid)
    expect(gateway.stdout).toContain(`listens on ${said.url} `)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    await gone()
    expect(await lastRemote()).toBe('127.0.0.1')
    await gateway.stop()
    expect(existsSync(file)).toBe(false)
    // One that was killed says nothing more, whatever it left.
    writeFileSync(file, JSON.stringify(said))
    await gone()
    expect(await lastRemote()).toBe('local')
  })

  it('has an operator key, which is replaced where it may be known', async () => {
    const key = async (...args: string[]) =>
      (await json<{ secret: string }>(['operator', 'key', ...args], { env })).secret
    const first = await key()
    expect(await key()).toBe(first)
    const second = await key('--rotate')
    expect(second).not.toBe(first)
    expect(await key()).toBe(second)
  })
})
