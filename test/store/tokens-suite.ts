import { randomBytes, randomUUID } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openStore } from '../../gateway/store/postgres/open.ts'
import { StoreError } from '../../gateway/store/store.ts'
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
      expect(free.toSorted()).toEqual(['account', 'createdAt', 'grants', 'hash', 'id'])
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
      expect(regenerated).toEqual({ ...token, hash: regenerated.hash })
      const changed = await tokens.change(token.id, { grants: [{ room: roomId, receive: true }] })
      const [grant] = token.grants
      const after = [{ ...grant, send: false, receive: true }]
      expect(changed).toEqual({ ...regenerated, grants: after })
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
