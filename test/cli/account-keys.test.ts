import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keysOf, parseConnectionKey } from '../../gateway/identity/connection-keys.ts'
import { DataFolder, json, porthouse } from './process.ts'

interface Key {
  id: string
  secret: string
  expiresAt?: string
  replaces?: Key
}

let data: DataFolder
let env: Record<string, string>
beforeAll(async () => {
  data = await DataFolder.served()
  env = data.env
  await data.store.accounts.create({ slug: 'acme' })
  await data.store.accounts.create({ slug: 'other' })
})
afterAll(() => data.close())

const create = (...more: string[]) =>
  json<Key>(['account', 'key', 'create', 'acme', ...more], { env })

describe('account key', () => {
  it('is made with a secret that is shown once and of which no part is kept', async () => {
    const { secret, ...shown } = await create('--label', 'the office', '--expires', '30d')
    expect(shown).toMatchObject({ kind: 'connection-key', account: 'acme', label: 'the office' })
    expect(Date.parse(shown.expiresAt!)).toBeGreaterThan(Date.now())
    const { id, random } = parseConnectionKey(secret)!
    expect(id).toBe(shown.id)
    const kept = await data.store.credentials.find(id)
    const { salt, serverKey } = kept!.data as { salt: string; serverKey: string }
    const made = keysOf(random, Buffer.from(salt, 'base64'), kept!.data.iterations as number)
    expect(made.serverKey.toString('base64')).toBe(serverKey)
    expect(JSON.stringify(kept)).not.toContain(secret.slice(-43))
    expect(JSON.stringify(kept)).not.toContain(random.toString('base64'))
    const listed = await porthouse(['account', 'key', 'list', 'acme', '--json'], { env })
    expect(JSON.parse(listed.stdout)).toContainEqual(shown)
    expect(listed.stdout).not.toMatch(/phk_|storedKey|serverKey|salt/)
  })

  it('prints the secret alone on a line for people', async () => {
    const { stdout } = await porthouse(['account', 'key', 'create', 'acme'], { env })
    expect(stdout).toMatch(/^key .*\nphk_[0-9a-f]{32}_\S{43}\n$/)
  })

  it('is rotated: a new one now, the old one until the overlap ends', async () => {
    const old = await create('--label', 'mill')
    const made = await json<Key>(['account', 'key', 'rotate', 'acme', old.id, '--overlap', '1h'], {
      env,
    })
    expect(made.id).not.toBe(old.id)
    expect(made).toMatchObject({ label: 'mill', replaces: { id: old.id } })
    expect(made).not.toHaveProperty('expiresAt')
    const left = (await data.store.credentials.find(old.id))!.expiresAt!.getTime() - Date.now()
    expect(left).toBeGreaterThan(3_000_000)
    expect(left).toBeLessThanOrEqual(3_600_000)
  })

  it('never lives longer for being rotated, and is not rotated once it has ended', async () => {
    const { id, expiresAt } = await create('--expires', '1h')
    await json(['account', 'key', 'rotate', 'acme', id, '--overlap', '7d'], { env })
    const kept = await data.store.credentials.find(id)
    expect(kept!.expiresAt!.toISOString()).toBe(expiresAt)
    await json(['account', 'key', 'rotate', 'acme', id, '--overlap', '0s'], { env })
    const late = await porthouse(['account', 'key', 'rotate', 'acme', id], { env })
    expect(late).toMatchObject({ code: 2, stdout: '' })
    expect(late.stderr).toContain('has ended')
  })

  it('is revoked at once, once, and by its own account alone', async () => {
    const { id } = await create()
    const foreign = await porthouse(['account', 'key', 'revoke', 'other', id, '--json'], { env })
    expect(foreign.code).toBe(1)
    expect(JSON.parse(foreign.stderr)).toMatchObject({ error: { code: 'MISSING' } })
    expect(await data.store.credentials.find(id)).toBeDefined()
    expect(await json(['account', 'key', 'revoke', 'acme', id], { env })).toEqual({ revoked: id })
    expect(await data.store.credentials.find(id)).toBeUndefined()
    const again = await porthouse(['account', 'key', 'revoke', 'acme', id], { env })
    expect(again.stderr).toContain('porthouse account key list acme')
  })

  it('is not what a client proves itself by, which these commands leave alone', async () => {
    const account = 'acme'
    await data.store.clients.create({ account, slug: 'bob', grants: [] })
    const id = crypto.randomUUID()
    const kept = { id, kind: 'password', account, client: 'bob', data: {}, label: '' } as const
    await data.store.credentials.add(kept)
    const { code } = await porthouse(['account', 'key', 'revoke', 'acme', id], { env })
    expect(code).toBe(1)
    expect(await data.store.credentials.find(id)).toBeDefined()
  })

  it('given as its secret is refused, and the secret is not repeated', async () => {
    const { secret } = await create()
    const { code, stderr } = await porthouse(['account', 'key', 'revoke', 'acme', secret], { env })
    expect(code).toBe(2)
    expect(stderr).not.toContain(secret)
  })
})
