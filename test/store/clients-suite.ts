import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Fixture } from './fixture.ts'

export function clientsSuite(fixture: Fixture): void {
  const missing = { failure: 'missing' }

  describe('clients', () => {
    test('keep what they were made of, and are found by any mix of names', async () => {
      const { account, id: roomId } = await fixture.newRoom()
      const made = await fixture.store.clients.create({
        account: account.slug,
        slug: 'pump',
        maxSockets: 1,
        grants: [{ room: 'boiler', admit: true, channels: ['b', 'a', 'b'] }],
      })
      expect(made).toMatchObject({ account, slug: 'pump', maxSockets: 1 })
      const rights = { send: false, receive: false, admit: true, channels: ['a', 'b'] }
      expect(made.grants).toEqual([{ roomId, room: 'boiler', ...rights }])
      for (const owner of [account.slug, account.id]) {
        for (const name of ['pump', made.id, made.id.toUpperCase()]) {
          expect(await fixture.store.clients.find(owner, name)).toEqual(made)
        }
      }
      const stranger = await fixture.newAccount()
      expect(await fixture.store.clients.find(stranger.slug, made.id)).toBeUndefined()
      expect(await fixture.store.clients.list(account.id)).toEqual([made])
    })

    test('are found with what they are known by, of one kind and in one step', async () => {
      const { account } = await fixture.newRoom()
      const { clients, credentials } = fixture.store
      const grants = [{ room: 'boiler', send: true }]
      const made = await clients.create({ account: account.id, slug: 'pump', grants })
      await clients.ensure(account.id, 'valve')
      const known = { account: account.id, client: 'pump', data: { key: ['AAAA'] }, label: 'a' }
      const add = (rest: object) =>
        credentials.add({ id: randomUUID(), kind: 'ssh-key', ...known, ...rest })
      const keys = [await add({ expiresAt: new Date(0) }), await add({})]
      await add({ kind: 'preset' })
      await add({ client: 'valve' })
      await add({ client: undefined })
      for (const owner of [account.slug, account.id]) {
        for (const name of ['pump', made.id.toUpperCase()]) {
          const claimed = await clients.claimed(owner, name, 'ssh-key')
          expect(claimed).toEqual({ client: made, credentials: keys })
        }
      }
      const bare = await clients.claimed(account.slug, 'valve', 'password')
      expect(bare).toMatchObject({ client: { slug: 'valve', grants: [] }, credentials: [] })
      const stranger = await fixture.newAccount()
      const nobody = [randomUUID(), 'none', '', 'a\0', "' or true --", 'a'.repeat(100_000)]
      for (const name of nobody) {
        expect(await clients.claimed(account.slug, name, 'ssh-key')).toBeUndefined()
        expect(await clients.claimed(name, 'pump', 'ssh-key')).toBeUndefined()
        expect(await clients.find(account.slug, name)).toBeUndefined()
        expect(await clients.find(name, 'pump')).toBeUndefined()
      }
      expect(await clients.claimed(stranger.slug, made.id, 'ssh-key')).toBeUndefined()
    })

    test('are made whole or not at all', async () => {
      const { account } = await fixture.newRoom()
      const foreign = await fixture.newRoom()
      const create = (rest: object) =>
        fixture.store.clients.create({ account: account.id, slug: 'pump', grants: [], ...rest })
      await expect(create({ account: 'nobody' })).rejects.toMatchObject(missing)
      await expect(create({ grants: [{ room: foreign.id }] })).rejects.toMatchObject(missing)
      await expect(create({ slug: 'Pump' })).rejects.toThrow('the client')
      expect(await fixture.store.clients.list(account.id)).toEqual([])
      await create({})
      const again = create({ grants: [{ room: 'boiler', send: true }] })
      await expect(again).rejects.toMatchObject({ failure: 'exists' })
      const kept = await fixture.store.clients.find(account.id, 'pump')
      expect(kept).toMatchObject({ grants: [] })
      expect(kept).not.toHaveProperty('maxSockets')
    })

    test('are made once, however many need one at once', async () => {
      const { slug } = await fixture.newAccount()
      const all = Array.from({ length: 12 }, () => fixture.store.clients.ensure(slug, 'ann'))
      const [first, ...rest] = await Promise.all(all)
      for (const other of rest) expect(other).toEqual(first)
      await expect(fixture.store.clients.ensure('nobody', 'ann')).rejects.toMatchObject(missing)
      for (const name of ['', 'Ann', randomUUID(), 'a\0']) {
        await expect(fixture.store.clients.ensure(slug, name)).rejects.toThrow('the client')
      }
    })

    test('change in what is told, and in nothing else', async () => {
      const { account } = await fixture.newRoom()
      const grants = [{ room: 'boiler', send: true }]
      const made = await fixture.store.clients.create({ account: account.id, slug: 'pump', grants })
      const change = (to: object) => fixture.store.clients.change(account.slug, 'pump', to)
      expect(await change({ maxSockets: 3 })).toEqual({ ...made, maxSockets: 3, version: 2 })
      const [grant] = made.grants
      const after = { ...made, maxSockets: 3, grants: [{ ...grant, send: false, receive: true }] }
      const received = await change({ grants: [{ room: 'boiler', receive: true }] })
      expect(received).toEqual({ ...after, version: 3 })
      const nothing = await change({ maxSockets: null, grants: [] })
      expect(nothing).toEqual({ ...made, grants: [], version: 4 })
      await expect(change({ grants: [{ room: 'none' }] })).rejects.toMatchObject(missing)
      const unknown = fixture.store.clients.change(account.slug, 'none', { maxSockets: 1 })
      await expect(unknown).rejects.toMatchObject(missing)
    })

    test('are changed once by those who expect the same version', async () => {
      const { account } = await fixture.newRoom()
      const { clients } = fixture.store
      const { version } = await clients.create({ account: account.id, slug: 'pump', grants: [] })
      const changes = Array.from({ length: 8 }, (_, number) => {
        const grants = [{ room: 'boiler', send: true }]
        const to = number % 2 ? { grants } : { maxSockets: number + 1 }
        return clients.change(account.slug, 'pump', to, version)
      })
      const done = await Promise.allSettled(changes)
      expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const one of done) {
        if (one.status === 'rejected') expect(one.reason).toMatchObject({ failure: 'stale' })
      }
      const stale = clients.delete(account.slug, 'pump', version)
      await expect(stale).rejects.toMatchObject({ failure: 'stale' })
      expect(await clients.delete(account.slug, 'pump', version + 1)).toBe(true)
      expect(await clients.delete(account.slug, 'pump', version + 1)).toBe(false)
    })

    test('are listed in parts, by the bytes of their slugs', async () => {
      const { slug } = await fixture.newAccount()
      const slugs = ['a-b', 'a0', 'ab', 'b', '0']
      for (const client of slugs) await fixture.store.clients.ensure(slug, client)
      const listed: string[] = []
      for (;;) {
        const after = listed.at(-1)
        const part = { limit: 2, ...(after !== undefined && { after }) }
        const next = await fixture.store.clients.list(slug, part)
        if (next.length === 0) break
        listed.push(...next.map((client) => client.slug))
      }
      expect(listed).toEqual(slugs.toSorted())
    })

    test('take their tokens, credentials and logins with them', async () => {
      const { slug: account } = await fixture.newAccount()
      const token = await fixture.newToken(account, { client: 'pump' })
      const credential = await fixture.store.credentials.add({
        id: randomUUID(),
        kind: 'password',
        account,
        client: 'pump',
        data: {},
        label: '',
      })
      const hash = randomBytes(32)
      const expiresAt = new Date(Date.now() + 60_000)
      await fixture.store.logins.create({ hash, account, client: 'pump', expiresAt })
      expect(await fixture.store.clients.delete(account, 'pump')).toBe(true)
      expect(await fixture.store.clients.delete(account, 'pump')).toBe(false)
      expect(await fixture.store.tokens.find(token.id)).toBeUndefined()
      expect(await fixture.store.credentials.find(credential.id)).toBeUndefined()
      expect(await fixture.store.logins.find(hash)).toBeUndefined()
    })
  })
}
