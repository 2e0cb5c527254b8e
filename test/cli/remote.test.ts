/** Each noun by the API of a gateway elsewhere, with the API key of an account's owner. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { TestGateway } from '../support/gateway.ts'
import { json, porthouse } from './process.ts'

/** Nothing of the gateway is in it. */
const home = mkdtempSync(join(tmpdir(), 'porthouse-remote-'))

let gateway: TestGateway
let env: Record<string, string>
beforeAll(async () => {
  gateway = await TestGateway.start()
  for (const slug of ['acme', 'other']) await gateway.store.accounts.create({ slug })
  await gateway.room('other/hall')
  const PORTHOUSE_API_KEY = await gateway.apiKey('owner', 'acme')
  const folders = { PORTHOUSE_DATA: home, XDG_CONFIG_HOME: home }
  env = { ...folders, PORTHOUSE_URL: gateway.url, PORTHOUSE_API_KEY }
})
afterAll(async () => {
  await gateway?.stop()
  rmSync(home, { recursive: true })
})

const run = <T = Record<string, unknown>>(args: string, input?: string) =>
  json<T>(args.split(' '), { env, ...(input !== undefined && { input }) })

it('room, its config and its revisions', async () => {
  await run('room create acme/boiler --echo')
  expect(await run('room list acme')).toMatchObject([{ slug: 'boiler', revision: 1 }])
  const config = JSON.stringify({ blocks: [{ presence: { enabled: true } }] })
  await run('room config set acme/boiler -', config)
  expect(await run('room config show acme/boiler')).toEqual(JSON.parse(config))
  expect(await run('room diff acme/boiler')).toMatchObject({ blocks: ['echo', 'presence'] })
  expect(await run('room config check acme -', config)).toEqual({ faults: [] })
  const wrong = '{"blocks":[{"access":{"locks":["tokn"]}}]}'
  const args = ['room', 'config', 'check', 'acme', '-']
  const refused = await porthouse(args, { env, input: wrong })
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  expect(refused.stderr).toContain('porthouse: blocks[0].access.locks[0]: no acceptor tokn')
  await run('room rollback acme/boiler 1')
  const authors = await run<{ author: string }[]>('room revisions acme/boiler')
  expect(authors).toHaveLength(3)
  for (const { author } of authors) expect(author).toMatch(/^apiKeys\/[\da-f-]+, by /)
})

it('client and what it proves itself by', async () => {
  const file = join(home, 'bob')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file])
  const rights = '--room boiler:receive'
  const made = await run(`client create acme/bob --ssh-key ${file}.pub ${rights}`)
  expect(made).toMatchObject({ keys: [{ kind: 'ssh-key' }] })
  await run('client key add acme/bob --password-stdin', 'secret word')
  await run('client grant acme/bob --room boiler:send:log')
  expect(await run('client show acme/bob')).toMatchObject({
    rooms: [{ room: 'boiler' }, { room: 'boiler', channels: ['log'] }],
    keys: [{ kind: 'ssh-key' }, { kind: 'password' }],
  })
  expect(await run('client update acme/bob --max-sockets 2')).toMatchObject({ maxSockets: 2 })
  const lifted = await run('client update acme/bob --max-sockets any')
  expect(lifted).not.toHaveProperty('maxSockets')
  const acceptors = await run<{ acceptor: string }[]>('lock acceptors')
  expect(acceptors.map(({ acceptor }) => acceptor)).toContain('ssh-key')
  expect(await run('lock explain acme/boiler --as bob')).toMatchObject({ next: ['token'] })
})

it('token, by its id alone', async () => {
  const { id } = await run<{ id: string }>('token create acme --room boiler:send --client bob')
  expect(await run(`token grant ${id} --room boiler:receive`)).toMatchObject({ id })
  const terms = await run(`token update ${id} --rate 5/s --method json`)
  expect(terms).toMatchObject({ rate: { perSecond: 5, burst: 5 }, method: 'json' })
  const more = await run(`token update ${id} --max-connections 2`)
  expect(more).toMatchObject({ ...terms, maxConnections: 2 })
  expect(await run(`token revoke ${id}`)).toMatchObject({ revoked: true })
  expect(await run(`token regenerate ${id}`)).toMatchObject({ secret: expect.any(String) })
  expect(await run('token list acme')).toMatchObject([{ id, client: 'bob' }])
  await run(`token delete ${id}`)
})

it('keys of the account, its offenders and its audit log', async () => {
  const { id } = await run<{ id: string }>('account key create acme')
  const rotated = await run(`account key rotate acme ${id}`)
  expect(rotated).toMatchObject({ replaces: { id } })
  expect(await run('api-key list acme')).toMatchObject([{ role: 'owner' }])
  await gateway.store.offences.add(['identity:client:acme/bob'], new Date(), 60_000)
  expect(await run('offender list --account acme')).toHaveLength(1)
  expect(await run('offender clear --all --account acme')).toEqual({ cleared: 1 })
  const [last] = await run<{ method: string }[]>('audit list acme --last 1')
  expect(last).toMatchObject({ method: 'OffenderService/ClearOffenders', remote: '127.0.0.1' })
})

it('of another account there is nothing', async () => {
  const { token } = await foreignToken()
  for (const args of [
    'account show other',
    'room show other/hall',
    'room list other',
    'token list other',
    `token show ${token}`,
    'account key list other',
    'client list other',
    'audit list other',
    'audit list',
    'offender list',
  ]) {
    const { code, stdout, stderr } = await porthouse([...args.split(' '), '--json'], { env })
    expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: '' })
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'MISSING' } })
  }
})

async function foreignToken(): Promise<{ token: string }> {
  await gateway.token('other', ['hall'])
  const [found] = await gateway.store.tokens.list('other')
  return { token: found!.id }
}
