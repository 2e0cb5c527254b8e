import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Fixture } from './fixture.ts'

export function loginsSuite(fixture: Fixture): void {
  const soon = () => new Date(Date.now() + 3_600_000)
  const past = new Date('2001-02-03T04:05:06.789Z')

  const newLogin = async (expiresAt: Date) => {
    const { slug: account } = await fixture.newAccount()
    await fixture.store.clients.ensure(account, 'ann')
    const login = { hash: randomBytes(32), account, client: 'ann', expiresAt }
    return fixture.store.logins.create(login)
  }

  describe('logins', () => {
    test('are found by the whole hash alone, and deleted once', async () => {
      const login = await newLogin(soon())
      const client = await fixture.store.clients.find(login.account.id, 'ann')
      expect(login).toMatchObject({ account: client?.account, client: { id: client?.id } })
      expect(await fixture.store.logins.find(login.hash)).toEqual(login)
      for (const hash of [login.hash.subarray(0, 31), new Uint8Array(0), randomBytes(32)]) {
        expect(await fixture.store.logins.find(hash)).toBeUndefined()
        expect(await fixture.store.logins.delete(hash)).toBe(false)
      }
      expect(await fixture.store.logins.delete(login.hash)).toBe(true)
      expect(await fixture.store.logins.delete(login.hash)).toBe(false)
    })

    test('need a client, and a hash of their own', async () => {
      const { hash, account } = await newLogin(soon())
      const create = (rest: object) =>
        fixture.store.logins.create({
          hash: randomBytes(32),
          account: account.id,
          client: 'ann',
          expiresAt: soon(),
          ...rest,
        })
      await expect(create({ client: 'bob' })).rejects.toMatchObject({ failure: 'missing' })
      await expect(create({ account: 'nobody' })).rejects.toMatchObject({ failure: 'missing' })
      await expect(create({ hash })).rejects.toMatchObject({ failure: 'exists' })
    })

    test('past their expiry are gone after others were made, at once', async () => {
      const old = await Promise.all([1, 2, 3, 4, 5, 6].map(() => newLogin(past).catch(() => {})))
      const kept = await newLogin(soon())
      await Promise.all([1, 2, 3, 4].map(() => newLogin(soon())))
      for (const login of old) {
        if (login) expect(await fixture.store.logins.find(login.hash)).toBeUndefined()
      }
      expect(await fixture.store.logins.find(kept.hash)).toEqual(kept)
    })
  })
}
