import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CREDENTIAL_KINDS, type Credentials, StoreError } from '../../gateway/store/store.ts'
import type { Fixture } from './fixture.ts'
import { hostileText } from './hostile.ts'

export function credentialsSuite(fixture: Fixture): void {
  const missing = { failure: 'missing' }
  const add = (account: string, rest: Partial<Parameters<Credentials['add']>[0]> = {}) => {
    const id = randomUUID()
    const given = { id, kind: 'password' as const, data: { salt: 'c2FsdA' }, label: 'a label' }
    return fixture.store.credentials.add({ ...given, account, ...rest })
  }

  describe('credentials', () => {
    test.each(CREDENTIAL_KINDS)('of kind %s keep what they were made of', async (kind) => {
      const { account, client } = await fixture.newToken((await fixture.newAccount()).slug, {
        client: 'pump',
      })
      const expiresAt = new Date('2031-02-03T04:05:06.789Z')
      const data = { key: 'AAAA', counts: [1, 2.5, null, { deep: true }] }
      const made = await add(account.id, { kind, client: client!.id, data, expiresAt })
      expect(made).toMatchObject({ kind, account, client, data, label: 'a label', expiresAt })
      expect(await fixture.store.credentials.find(made.id.toUpperCase())).toEqual(made)
    })

    test('are those of the account or of one client, the oldest first', async () => {
      const { slug } = await fixture.newAccount()
      await fixture.store.clients.ensure(slug, 'pump')
      await fixture.store.clients.ensure(slug, 'valve')
      const own = [await add(slug, { kind: 'connection-key' }), await add(slug)]
      const pump = [await add(slug, { client: 'pump' }), await add(slug, { client: 'pump' })]
      const { credentials } = fixture.store
      expect(await credentials.list(slug)).toEqual(own)
      expect(await credentials.list(slug, 'pump')).toEqual(pump)
      expect(await credentials.list(slug, 'valve')).toEqual([])
      for (const [all, client] of [[own, undefined] as const, [pump, 'pump'] as const]) {
        const [first] = await credentials.list(slug, client, { limit: 1 })
        expect(first).toEqual(all[0])
        const after = { at: first!.createdAt, id: first!.id }
        expect(await credentials.list(slug, client, { after, limit: 5 })).toEqual(all.slice(1))
      }
      expect(own[0]).not.toHaveProperty('client')
      const other = await fixture.newAccount()
      await expect(credentials.list(other.slug, pump[0]!.client!.id)).rejects.toMatchObject(missing)
      await expect(credentials.list('nobody')).rejects.toMatchObject(missing)
      await expect(add(slug, { client: 'none' })).rejects.toMatchObject(missing)
      await expect(add('nobody')).rejects.toMatchObject(missing)
    })

    test('exist once, are given an end, and are deleted once', async () => {
      const { slug } = await fixture.newAccount()
      const made = await add(slug)
      await expect(add(slug, { id: made.id })).rejects.toMatchObject({
        failure: 'exists',
        message: 'that credential exists already',
      })
      const at = new Date('2031-02-03T04:05:06.789Z')
      const { credentials } = fixture.store
      expect(await credentials.expire(made.id, at)).toEqual({ ...made, expiresAt: at })
      expect(await credentials.delete(made.id)).toBe(true)
      expect(await credentials.delete(made.id)).toBe(false)
      await expect(credentials.expire(made.id, at)).rejects.toMatchObject(missing)
      for (const id of [made.id, '', 'a\0', "' or true --"]) {
        expect(await credentials.find(id)).toBeUndefined()
      }
    })

    test('hold hostile text as it is, or refuse it', async () => {
      const { slug } = await fixture.newAccount()
      await fc.assert(
        fc.asyncProperty(hostileText, fc.boolean(), async (text, isLabel) => {
          const given = isLabel ? { label: text } : { data: { text, [text.slice(0, 10)]: [text] } }
          const outcome = await add(slug, given).catch((error: unknown) => error)
          if (outcome instanceof StoreError) expect(outcome.failure).toBe('invalid')
          else expect(outcome).toMatchObject(given)
        }),
        { numRuns: 60 },
      )
    })
  })
}
