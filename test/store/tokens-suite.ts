import { randomBytes, randomUUID } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openStore } from '../../gateway/store/postgres/open.ts'
import { StoreError, type TokenChange, type TokenRecord } from '../../gateway/store/store.ts'
import { author, type Fixture } from './fixture.ts'
import { hostileText } from './hostile.ts'

export function tokensSuite(fixture: Fixture): void {
  describe('tokens', () => {
    test('keep what they were made of', async () => {
      const room = await fixture.newRoom()
      const { account } = room
      const hash = randomBytes(32)
      const expiresAt = new Date('2031-02-03T04:05:06.789Z')
      const grants = [{ room: room.slug, send: true, receive: false, admit: true, channels: ['a'] }]
      const token = await fixture.newToken(account.slug, {
        client: 'pump',
        hash,
        expiresAt,
        grants,
      })
      expect(token).toMatchObject({ account, client: { slug: 'pump' }, expiresAt })
      expect(token.grants).toEqual([{ ...grants[0], roomId: room.id }])
      expect(Buffer.from(token.hash)).toEqual(hash)
      expect(await fixture.store.tokens.find(token.id)).toEqual(token)
      expect(await fixture.store.tokens.list(account.id)).toEqual([token])
    })

    test('share the client of one name', async () => {
      const { id, slug } = await fixture.newAccount()
      const first = await fixture.newToken(slug, { client: 'pump' })
      const second = await fixture.newToken(id, { client: 'pump' })
      const third = await fixture.newToken(slug, { client: first.client!.id })
      expect(second.client).toEqual(first.client)
      expect(third.client).toEqual(first.client)
      expect((await fixture.newToken(slug)).client).toBeUndefined()
    })

    test('add up what is granted twice in one room', async () => {
      const { account, id, slug } = await fixture.newRoom()
      const grants = [
        { room: slug, send: true, receive: false },
        { room: id.toUpperCase(), send: false, receive: true },
      ]
      const token = await fixture.newToken(account.slug, { grants })
      expect(token.grants).toEqual([
        { roomId: id, room: slug, send: true, receive: true, admit: false, channels: [] },
      ])
    })

    test('are made whole or not at all', async () => {
      const { account } = await fixture.newRoom()
      const foreign = await fixture.newRoom()
      const missing = { failure: 'missing' }
      const grants = [{ room: foreign.id, send: true, receive: true }]
      await expect(fixture.newToken('nobody')).rejects.toMatchObject(missing)
      await expect(fixture.newToken(account.id, { grants })).rejects.toMatchObject(missing)
      await expect(fixture.newToken(account.id, { client: randomUUID() })).rejects.toMatchObject(
        missing,
      )
      const { id } = await fixture.newToken(account.id)
      await expect(fixture.newToken(account.id, { id, client: 'new' })).rejects.toMatchObject({
        failure: 'exists',
      })
      expect(await fixture.store.tokens.list(account.id)).toHaveLength(1)
    })

    test('lose the grant of a deleted room, and end by deletion', async () => {
      const { account, slug } = await fixture.newRoom()
      const grants = [{ room: slug, send: true, receive: true }]
      const { id } = await fixture.newToken(account.slug, { grants })
      await fixture.store.rooms.delete(account.slug, slug)
      expect((await fixture.store.tokens.find(id))?.grants).toEqual([])
      expect(await fixture.store.tokens.delete(id)).toBe(true)
      expect(await fixture.store.tokens.delete(id)).toBe(false)
      expect(await fixture.store.tokens.find(id)).toBeUndefined()
    })

    test('have the terms that they were given, and no others', async () => {
      const { slug } = await fixture.newAccount()
      const terms = {
        method: 'json' as const,
        rate: { perSecond: 0.5, burst: 20 },
        maxConnections: 3,
      }
      const token = await fixture.newToken(slug, terms)
      expect(token).toMatchObject(terms)
      expect(await fixture.store.tokens.find(token.id)).toEqual(token)
      const free = Object.keys(await fixture.newToken(slug))
      expect(free.toSorted()).toEqual(['account', 'createdAt', 'grants', 'hash', 'id', 'version'])
      const beyond = fixture.newToken(slug, { maxConnections: 2 ** 31 })
      await expect(beyond).rejects.toMatchObject({ failure: 'invalid' })
    })

    test('with a term of a later version are refused, not freed of it', async () => {
      const { id } = await fixture.newToken((await fixture.newAccount()).slug)
      const sql = fixture.server.sql()
      await sql`update tokens set method = 'morse' where id = ${id}`
      await sql.end()
      await expect(fixture.store.tokens.find(id)).rejects.toMatchObject({ failure: 'unavailable' })
    })

    test('add up rights for the same channels alone', async () => {
      const { account, id: roomId } = await fixture.newRoom()
      const token = await fixture.newToken(account.slug, {
        grants: [
          { room: 'boiler', send: true, channels: ['b', 'a'] },
          { room: 'boiler', receive: true },
          { room: roomId, admit: true, channels: ['a', 'b', 'a'] },
        ],
      })
      const of = { roomId, room: 'boiler', send: false, receive: false, admit: false }
      expect(token.grants).toEqual([
        { ...of, send: true, admit: true, channels: ['a', 'b'] },
        { ...of, receive: true, channels: [] },
      ])
    })

    test('have channels as they are, or refuse them', async () => {
      const { account } = await fixture.newRoom()
      await fc.assert(
        fc.asyncProperty(fc.array(hostileText, { maxLength: 3 }), async (channels) => {
          const grants = [{ room: 'boiler', send: true, channels }]
          const outcome = await fixture.newToken(account.id, { grants }).catch((error) => error)
          if (outcome instanceof StoreError) expect(outcome.failure).toBe('invalid')
          else expect(new Set(outcome.grants[0].channels)).toEqual(new Set(channels))
        }),
        { numRuns: 40 },
      )
    })

    test('change their grants or their secret, and nothing else', async () => {
      const { account, id: roomId } = await fixture.newRoom()
      const { tokens } = fixture.store
      const grants = [{ room: 'boiler', send: true }]
      const token = await fixture.newToken(account.slug, { grants, maxConnections: 2 })
      const hash = randomBytes(32)
      const regenerated = await tokens.change(token.id.toUpperCase(), { hash })
      expect(Buffer.from(regenerated.hash)).toEqual(hash)
      expect(regenerated).toEqual({ ...token, hash: regenerated.hash, version: 2 })
      const changed = await tokens.change(token.id, { grants: [{ room: roomId, receive: true }] })
      const [grant] = token.grants
      const after = [{ ...grant, send: false, receive: true }]
      expect(changed).toEqual({ ...regenerated, grants: after, version: 3 })
      const foreign = await fixture.newRoom()
      for (const [id, room] of [
        [token.id, foreign.id],
        [randomUUID(), 'boiler'],
        ['a\0', 'boiler'],
      ] as const) {
        const change = tokens.change(id, { grants: [{ room }], hash: randomBytes(32) })
        await expect(change).rejects.toMatchObject({ failure: 'missing' })
      }
      expect(await tokens.find(token.id)).toEqual(changed)
      expect((await tokens.change(token.id, { grants: [] })).grants).toEqual([])
    })

    test('are given terms and freed of them, each by itself', async () => {
      const token = await fixture.newToken((await fixture.newAccount()).slug)
      const change = (to: TokenChange) => fixture.store.tokens.change(token.id, to)
      const expiresAt = new Date('2031-02-03T04:05:06.789Z')
      const terms = { expiresAt, method: 'text' as const, rate: { perSecond: 0.5, burst: 3 } }
      const bound = await change({ ...terms, maxConnections: 4 })
      expect(bound).toEqual({ ...token, ...terms, maxConnections: 4, version: 2 })
      const { rate: _, ...unrated } = bound
      expect(await change({ rate: null })).toEqual({ ...unrated, version: 3 })
      const free = { expiresAt: null, method: null, maxConnections: null }
      expect(await change(free)).toEqual({ ...token, version: 4 })
      await expect(change({ maxConnections: 2 ** 31 })).rejects.toMatchObject({
        failure: 'invalid',
      })
    })

    test('are changed once by those who expect the same version', async () => {
      const { account } = await fixture.newRoom()
      const { tokens } = fixture.store
      const { id, version } = await fixture.newToken(account.id)
      const changes = Array.from({ length: 8 }, (_, number) => {
        const grants = [{ room: 'boiler', send: true, channels: [`c${number}`] }]
        return tokens.change(id, number % 2 ? { grants } : { maxConnections: number + 1 }, version)
      })
      const done = await Promise.allSettled(changes)
      expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const one of done) {
        if (one.status === 'rejected') expect(one.reason).toMatchObject({ failure: 'stale' })
      }
      expect(await tokens.find(id)).toMatchObject({ version: version + 1 })
      await expect(tokens.delete(id, version)).rejects.toMatchObject({ failure: 'stale' })
      expect(await tokens.delete(id, version + 1)).toBe(true)
      expect(await tokens.delete(id, version + 1)).toBe(false)
      const gone = tokens.change(id, { method: 'json' }, version + 1)
      await expect(gone).rejects.toMatchObject({ failure: 'missing' })
    })

    test('are listed in parts, of a client or a room', async () => {
      const { account, id: roomId } = await fixture.newRoom()
      const { tokens } = fixture.store
      const made: TokenRecord[] = []
      for (let number = 0; number < 7; number++) {
        const grants = number % 2 ? [{ room: 'boiler', send: true }] : []
        const client = number > 3 ? { client: 'pump' } : {}
        made.push(await fixture.newToken(account.id, { grants, ...client }))
      }
      const sql = fixture.server.sql()
      // Many at one time, which their ids alone tell apart.
      await sql`update tokens set created_at = '2030-01-01' where account_id = ${account.id}`
      await sql.end()
      const ids = made.map(({ id }) => id).sort()
      const all = async (which: { clientId?: string; roomId?: string } = {}) => {
        const parts: TokenRecord[][] = []
        for (let last: TokenRecord | undefined; ; last = parts.at(-1)!.at(-1)) {
          const after = last && { after: { at: last.createdAt, id: last.id } }
          const part = await tokens.list(account.slug, { limit: 2, ...after, ...which })
          if (part.length === 0) return parts.flat()
          parts.push(part)
        }
      }
      expect((await all()).map(({ id }) => id)).toEqual(ids)
      const clientId = made[6]!.client!.id
      for (const [which, has] of [
        [{ clientId }, (one: TokenRecord) => one.client?.id === clientId],
        [{ roomId }, (one: TokenRecord) => one.grants.length > 0],
        [{ clientId, roomId }, (one: TokenRecord) => one.client && one.grants.length > 0],
      ] as const) {
        const wanted = made.filter(has).map(({ id }) => id)
        expect((await all(which)).map(({ id }) => id)).toEqual(wanted.sort())
      }
      // What it was granted before, it is not found by.
      await tokens.change(made[1]!.id, { grants: [] })
      expect(await all({ roomId })).toHaveLength(2)
      expect(await all({ roomId: clientId })).toEqual([])
    })

    test('changed by many at once have what one of them gave, never a sum', async () => {
      const { account } = await fixture.newRoom()
      const slugs = ['boiler', 'cellar', 'roof']
      for (const slug of slugs.slice(1)) {
        const config = create(ConfigSchema)
        await fixture.store.rooms.create({ account: account.id, slug, config, author })
      }
      const { id } = await fixture.newToken(account.id)
      const other = await openStore(fixture.server.options)
      for (let round = 0; round < 5; round++) {
        const changes = Array.from({ length: 12 }, (_, number) => {
          const grants = [{ room: slugs[number % 3]!, send: true, channels: [`c${number}`] }]
          const { tokens } = number % 2 ? other : fixture.store
          return tokens.change(id, { grants, hash: Buffer.alloc(32, number) })
        })
        await Promise.all(changes)
        const { hash, grants } = (await fixture.store.tokens.find(id))!
        const [last] = hash
        expect(grants).toMatchObject([{ room: slugs[last! % 3], channels: [`c${last}`] }])
      }
      await other.close()
      const sql = fixture.server.sql()
      await fixture.store.tokens.change(id, { grants: [] })
      const left = await sql`select * from token_grants where token_id = ${id}`
      await sql.end()
      expect(left).toHaveLength(0)
    })
  })
}
