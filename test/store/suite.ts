/** What every implementation of the store must do, whatever server it runs on. */
import { randomBytes, randomUUID } from 'node:crypto'
import { create, equals } from '@bufbuild/protobuf'
import { type Config, ConfigSchema, Policy } from '@porthouse/proto/room/v1/config'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openStore, type StoreOptions } from '../../gateway/store/postgres/open.ts'
import type { Store } from '../../gateway/store/store.ts'

export interface Server {
  readonly options: StoreOptions
  /** Ends it as a crash would, and lets it run again. */
  crash(): Promise<void>
  stop(): Promise<void>
}

const author = 'test'

export function storeSuite(start: () => Promise<Server>): void {
  let server: Server
  let store: Store

  beforeAll(async () => {
    server = await start()
    // Both find an empty database, and each needs the whole schema.
    const [one, other] = await Promise.all([openStore(server.options), openStore(server.options)])
    store = one
    await other.ping()
    await other.close()
  })

  afterAll(async () => {
    await store?.close()
    await server?.stop()
  })

  /** An account of the test's own, so that no test sees what another has left. */
  const newAccount = () => store.accounts.create({ slug: `a-${randomUUID().slice(0, 8)}` })

  const newRoom = async (slug = 'boiler', config = create(ConfigSchema)) => {
    const account = await newAccount()
    return store.rooms.create({ account: account.slug, slug, config, author })
  }

  const newToken = (account: string, rest: object = {}) =>
    store.tokens.create({
      id: randomUUID(),
      hash: randomBytes(32),
      account,
      grants: [],
      ...rest,
    })

  describe('accounts', () => {
    test('are found by slug and by UUID in either case', async () => {
      const account = await newAccount()
      expect(account.createdAt).toBeInstanceOf(Date)
      for (const name of [account.slug, account.id, account.id.toUpperCase()]) {
        expect(await store.accounts.find(name)).toEqual(account)
      }
    })

    test('have a slug each', async () => {
      const { slug } = await newAccount()
      await expect(store.accounts.create({ slug })).rejects.toMatchObject({ failure: 'exists' })
    })

    test('are listed by slug', async () => {
      await Promise.all([newAccount(), newAccount(), newAccount()])
      const slugs = (await store.accounts.list()).map(({ slug }) => slug)
      expect(slugs).toEqual(slugs.toSorted())
    })

    test('take all they own with them', async () => {
      const room = await newRoom()
      const account = room.account.slug
      const token = await newToken(account, { client: 'pump' })
      expect(await store.accounts.delete(account)).toBe(true)
      expect(await store.accounts.delete(account)).toBe(false)
      expect(await store.rooms.find(room.account.id, room.id)).toBeUndefined()
      expect(await store.tokens.find(token.id)).toBeUndefined()
    })
  })

  describe('names', () => {
    test.each([
      '',
      'Boiler',
      '-a',
      'v1',
      randomUUID(),
      'a'.repeat(64),
      'a\0b',
      "'; drop table rooms --",
    ])('refuse the new slug %j', async (slug) => {
      await expect(store.accounts.create({ slug })).rejects.toThrow('the account')
      const { account } = await newRoom()
      const room = { account: account.slug, slug, config: create(ConfigSchema), author }
      await expect(store.rooms.create(room)).rejects.toThrow('the room')
    })

    test('that nothing has are looked up in vain, whatever they hold', async () => {
      const name = fc.oneof(
        fc.string(),
        fc.constantFrom('a\0b', '\ud800', '🛶', 'x'.repeat(1_000_000), "' or true --"),
      )
      const { account } = await newRoom()
      await fc.assert(
        fc.asyncProperty(name, async (text) => {
          expect(await store.accounts.find(text)).toBeUndefined()
          expect(await store.rooms.find(account.slug, text)).toBeUndefined()
          expect(await store.tokens.find(text)).toBeUndefined()
        }),
        { numRuns: 25 },
      )
    })
  })

  describe('rooms', () => {
    test('are found by any mix of slugs and UUIDs', async () => {
      const room = await newRoom()
      const { account } = room
      expect(room.revision).toBe(1)
      for (const owner of [account.slug, account.id]) {
        for (const name of [room.slug, room.id]) {
          expect(await store.rooms.find(owner, name)).toEqual(room)
        }
      }
      const stranger = await newAccount()
      expect(await store.rooms.find(stranger.slug, room.id)).toBeUndefined()
    })

    test('have a slug each in their account', async () => {
      const { account, slug, config } = await newRoom()
      const again = store.rooms.create({ account: account.id, slug, config, author })
      await expect(again).rejects.toMatchObject({ failure: 'exists' })
      expect((await newRoom(slug)).slug).toBe(slug)
    })

    test('need an account', async () => {
      const room = { account: 'nobody', slug: 'boiler', config: create(ConfigSchema), author }
      await expect(store.rooms.create(room)).rejects.toMatchObject({ failure: 'missing' })
      await expect(store.rooms.list('nobody')).rejects.toMatchObject({ failure: 'missing' })
    })

    test('keep their config as it is', async () => {
      const room = await newRoom()
      await fc.assert(
        fc.asyncProperty(configs, async (config) => {
          const changed = await store.rooms.configure(room.account.slug, room.slug, config, author)
          expect(equals(ConfigSchema, changed.config, config)).toBe(true)
        }),
        { numRuns: 25 },
      )
    })

    test('count the changes of their config, each once', async () => {
      const { account, id, slug } = await newRoom()
      const changes = Array.from({ length: 8 }, () =>
        store.rooms.configure(account.id, id, create(ConfigSchema), author),
      )
      await Promise.all(changes)
      expect((await store.rooms.find(account.slug, slug))?.revision).toBe(9)
      const unknown = store.rooms.configure(account.id, 'none', create(ConfigSchema), author)
      await expect(unknown).rejects.toMatchObject({ failure: 'missing' })
    })

    test('are listed by slug and deleted once', async () => {
      const first = await newRoom('b-1')
      const account = first.account.slug
      const second = await store.rooms.create({ ...first, account, slug: 'b', author })
      expect(await store.rooms.list(account)).toEqual([second, first])
      expect(await store.rooms.delete(account, 'b')).toBe(true)
      expect(await store.rooms.delete(account, 'b')).toBe(false)
      expect(await store.rooms.list(account)).toEqual([first])
    })
  })

  describe('tokens', () => {
    test('keep what they were made of', async () => {
      const room = await newRoom()
      const { account } = room
      const hash = randomBytes(32)
      const expiresAt = new Date('2031-02-03T04:05:06.789Z')
      const grants = [{ room: room.slug, send: true, receive: false, admit: true, channels: ['a'] }]
      const token = await newToken(account.slug, { client: 'pump', hash, expiresAt, grants })
      expect(token).toMatchObject({ account, client: { slug: 'pump' }, expiresAt })
      expect(token.grants).toEqual([{ ...grants[0], roomId: room.id }])
      expect(Buffer.from(token.hash)).toEqual(hash)
      expect(await store.tokens.find(token.id)).toEqual(token)
      expect(await store.tokens.list(account.id)).toEqual([token])
    })

    test('share the client of one name', async () => {
      const { id, slug } = await newAccount()
      const first = await newToken(slug, { client: 'pump' })
      const second = await newToken(id, { client: 'pump' })
      const third = await newToken(slug, { client: first.client?.id })
      expect(second.client).toEqual(first.client)
      expect(third.client).toEqual(first.client)
      expect((await newToken(slug)).client).toBeUndefined()
    })

    test('add up what is granted twice in one room', async () => {
      const { account, id, slug } = await newRoom()
      const grants = [
        { room: slug, send: true, receive: false },
        { room: id.toUpperCase(), send: false, receive: true },
      ]
      const token = await newToken(account.slug, { grants })
      expect(token.grants).toEqual([
        { roomId: id, room: slug, send: true, receive: true, admit: false, channels: [] },
      ])
    })

    test('are made whole or not at all', async () => {
      const { account } = await newRoom()
      const foreign = await newRoom()
      const missing = { failure: 'missing' }
      const grants = [{ room: foreign.id, send: true, receive: true }]
      await expect(newToken('nobody')).rejects.toMatchObject(missing)
      await expect(newToken(account.id, { grants })).rejects.toMatchObject(missing)
      await expect(newToken(account.id, { client: randomUUID() })).rejects.toMatchObject(missing)
      const { id } = await newToken(account.id)
      await expect(newToken(account.id, { id, client: 'new' })).rejects.toMatchObject({
        failure: 'exists',
      })
      expect(await store.tokens.list(account.id)).toHaveLength(1)
    })

    test('lose the grant of a deleted room, and end by deletion', async () => {
      const { account, slug } = await newRoom()
      const grants = [{ room: slug, send: true, receive: true }]
      const { id } = await newToken(account.slug, { grants })
      await store.rooms.delete(account.slug, slug)
      expect((await store.tokens.find(id))?.grants).toEqual([])
      expect(await store.tokens.delete(id)).toBe(true)
      expect(await store.tokens.delete(id)).toBe(false)
      expect(await store.tokens.find(id)).toBeUndefined()
    })
  })

  test('a crash of the server fails the calls of that moment, and loses nothing', async () => {
    const { account } = await newRoom()
    const kept = await newToken(account.slug, { client: 'pump' })
    let crashed = false
    const outcomes: Promise<unknown>[] = []
    const busy = (async () => {
      while (!crashed) {
        const call = newToken(account.slug, { client: 'pump' }).catch((error) => error)
        outcomes.push(call)
        await call
      }
    })()
    await server.crash()
    await vi.waitFor(() => store.ping(), { timeout: 20_000, interval: 20 })
    crashed = true
    await busy
    const failures = (await Promise.all(outcomes)).filter((outcome) => outcome instanceof Error)
    expect(failures.length).toBeGreaterThan(0)
    for (const failure of failures) {
      expect(failure).toMatchObject({ name: 'StoreError', failure: 'unavailable' })
      expect((failure as Error).message).not.toMatch(/insert|select|\$1/i)
    }
    expect(await store.tokens.find(kept.id)).toEqual(kept)
  })
}

const configs: fc.Arbitrary<Config> = fc
  .record({
    locks: fc.array(fc.string(), { maxLength: 3 }),
    enabled: fc.boolean(),
    policy: fc.constantFrom(Policy.UNSPECIFIED, Policy.CONFLATE, Policy.DROP_NEWEST),
  })
  .map(({ locks, enabled, policy }) =>
    create(ConfigSchema, {
      blocks: [
        { kind: { case: 'access', value: { locks } } },
        { kind: { case: 'echo', value: { enabled } } },
        { kind: { case: 'slowConsumers', value: { policy } } },
        {},
      ],
    }),
  )
