/** Gateways that the user has logged in to. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { TestGateway } from '../support/gateway.ts'
import { json, porthouse, type RunOptions } from './process.ts'

const home = mkdtempSync(join(tmpdir(), 'porthouse-profiles-'))
const at: RunOptions = { env: { XDG_CONFIG_HOME: home, PORTHOUSE_DATA: join(home, 'none') } }
const folder = join(home, 'porthouse')

let gateway: TestGateway
let url: string
let key: string
beforeAll(async () => {
  gateway = await TestGateway.start()
  await gateway.store.accounts.create({ slug: 'acme' })
  url = gateway.url.replace('ws', 'http')
  key = await gateway.apiKey('owner', 'acme')
})
afterAll(async () => {
  await gateway?.stop()
  rmSync(home, { recursive: true })
})

const login = (input: string, ...args: string[]) =>
  porthouse(['login', '--url', gateway.url, ...args], { ...at, input })

it('a key that is no good is not kept', async () => {
  for (const [input, code, words] of [
    [`${key.slice(0, -3)}AAA`, 3, 'the credentials are unknown'],
    ['', 2, 'no API key is given'],
    ['two words', 2, 'that is no API key'],
  ] as const) {
    const ended = await login(input)
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code, stdout: '' })
    expect(ended.stderr).toContain(words)
  }
  expect(readdirSync(home)).toEqual([])
})

it('a login is for this user alone, and is what commands use from then on', async () => {
  const ended = await login(`${key}\n`, '--profile', 'work')
  expect(ended).toEqual({
    code: 0,
    stdout: `${url} is profile work, which commands use from now on\n`,
    stderr: '',
  })
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(statSync(join(folder, 'profiles.json')).mode & 0o777).toBe(0o600)
  expect(await json(['account', 'list'], at)).toMatchObject([{ slug: 'acme' }])
  const byUrl = await json(['account', 'list', '--url', url], at)
  expect(byUrl).toMatchObject([{ slug: 'acme' }])
})

it('profiles are listed, shown and chosen, without their keys', async () => {
  await login(await gateway.operatorKey(), '--profile', 'all')
  const rows = [
    { profile: 'all', url, chosen: true },
    { profile: 'work', url, chosen: false },
  ]
  expect(await json(['profile', 'list'], at)).toEqual(rows)
  expect(await json(['profile', 'show', 'work'], at)).toEqual(rows[1])
  expect((await porthouse(['account', 'create', 'more'], at)).code).toBe(0)
  await json(['profile', 'use', 'work'], at)
  expect((await porthouse(['account', 'create', 'again'], at)).code).toBe(3)
  expect((await porthouse(['account', 'create', 'again', '--profile', 'all'], at)).code).toBe(0)
  const both = await porthouse(['account', 'list', '--profile', 'all', '--url', url], at)
  expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('exclude each other') })
})

it('a logout forgets one, and what is not there is told', async () => {
  await json(['logout'], at)
  expect(await json(['profile', 'list'], at)).toMatchObject([{ profile: 'all', chosen: false }])
  const none = await porthouse(['profile', 'show'], at)
  expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('say which: all') })
  const gone = await porthouse(['account', 'list', '--profile', 'work'], at)
  expect(gone).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('porthouse login --profile work --url URL'),
  })
})

it('a file that is no file of profiles is told, and left alone', async () => {
  writeFileSync(join(folder, 'profiles.json'), '{')
  const { code, stderr } = await porthouse(['account', 'list'], at)
  expect(code).toBe(1)
  expect(stderr).toContain('profiles.json cannot be read')
})
