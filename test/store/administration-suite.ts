/** API keys and the audit log, on any server. */
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { AuditEntry } from '../../gateway/store/administration.ts'
import type { Fixture } from './fixture.ts'

const HASH = new Uint8Array(32).fill(7)

export function administrationSuite(fixture: Fixture): void {
  describe('API keys', () => {
    test('are kept as a hash, and found by id', async () => {
      const account = await fixture.newAccount()
      const expiresAt = new Date(Date.now() + 60_000)
      const key = { id: randomUUID(), role: 'owner', hash: HASH, label: 'ci', expiresAt } as const
      const made = await fixture.store.apiKeys.create({ ...key, account: account.slug })
      const { hash, ...rest } = key
      const { createdAt: _since, ...owner } = account
      expect(made).toMatchObject({ ...rest, account: owner })
      expect(Buffer.from(made.hash)).toEqual(Buffer.from(hash))
      expect(await fixture.store.apiKeys.find(key.id)).toEqual(made)
      expect(await fixture.store.apiKeys.find('x')).toBeUndefined()
    })

    test('are listed oldest first, in parts, each owner its own', async () => {
      const account = await fixture.newAccount()
      const made = []
      for (let i = 0; i < 5; i++) {
        const key = { id: randomUUID(), role: 'admin', hash: HASH, label: `${i}` } as const
        made.push(await fixture.store.apiKeys.create({ ...key, account: account.id }))
      }
      const first = await fixture.store.apiKeys.list(account.slug, { limit: 3 })
      const last = first.at(-1)!
      const after = { at: last.createdAt, id: last.id }
      const rest = await fixture.store.apiKeys.list(account.slug, { after, limit: 3 })
      expect([...first, ...rest].map(({ id }) => id).toSorted()).toEqual(
        made.map(({ id }) => id).toSorted(),
      )
      const ofGateway = await fixture.store.apiKeys.list(undefined, { limit: 1_000 })
      expect(ofGateway.filter((key) => key.account)).toEqual([])
    })

    test('go with their account, and what watches is told', async () => {
      const { store } = fixture
      const account = await fixture.newAccount()
      const told: string[] = []
      const unwatch = await store.changes.watch((change) => told.push(change?.id ?? ''))
      const key = { id: randomUUID(), role: 'admin', hash: HASH, label: '' } as const
      await store.apiKeys.create({ ...key, account: account.id })
      await expect.poll(() => told).toContain(key.id)
      told.length = 0
      await store.accounts.delete(account.id)
      await expect.poll(() => told).toContain(key.id)
      expect(await store.apiKeys.find(key.id)).toBeUndefined()
      expect(await store.apiKeys.delete(key.id)).toBe(false)
      await unwatch()
    })
  })

  describe('the audit log', () => {
    test('gives back what was written, the latest first, in parts', async () => {
      const { audit } = fixture.store
      const accountId = randomUUID()
      const entries = [1, 2, 3, 4, 5].map((n) => entry(accountId, n * 1_000))
      for (const each of entries) await audit.add(each)
      const latest = entries.toReversed()
      expect(await audit.list({ accountId, limit: 10 })).toEqual(latest)
      const [first, second] = latest as [AuditEntry, AuditEntry]
      const before = { at: second.at, id: second.id }
      expect(await audit.list({ accountId, before, limit: 2 })).toEqual(latest.slice(2, 4))
      expect(await audit.list({ accountId, resource: first.resource, limit: 9 })).toEqual([first])
    })

    test('keeps what was before and after, whatever is in it', async () => {
      const { audit } = fixture.store
      const accountId = randomUUID()
      const before = { text: 'a\u0000b', list: [1, null, true] }
      const after = { text: 'x'.repeat(100_000) }
      await audit.add({ ...entry(accountId, 0), before, after })
      const [kept] = await audit.list({ accountId, limit: 1 })
      expect(kept?.before).toEqual({ ...before, text: 'a\ufffdb' })
      expect(kept?.after).toEqual({ chars: JSON.stringify(after).length })
    })

    test('forgets what is too old, and the oldest of too many', async () => {
      const { audit } = fixture.store
      const accountId = randomUUID()
      const now = Date.now()
      for (const age of [9, 8, 3, 2, 1]) await audit.add(entry(accountId, now - age * 1_000))
      const count = async () => (await audit.list({ accountId, limit: 10 })).length
      await audit.trim(new Date(now - 5_000), 1_000_000)
      expect(await count()).toBe(3)
      await audit.trim(new Date(0), 2)
      expect(await count()).toBe(2)
    })
  })
}

function entry(accountId: string, at: number): AuditEntry {
  return {
    id: randomUUID(),
    at: new Date(at),
    principal: 'operator',
    role: 'operator',
    remote: '127.0.0.1',
    method: 'RoomService/UpdateRoom',
    resource: `accounts/a/rooms/${at}`,
    accountId,
    code: '',
  }
}
