/** Rooms and the revisions of their configs. */
import { create, equals, toJson } from '@bufbuild/protobuf'
import { type Config, ConfigSchema } from '@porthouse/proto/room/v1/config'
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RoomRecord } from '../../gateway/store/store.ts'
import { messageOf } from '../rooms/arbitrary-message.ts'
import { author, type Fixture } from './fixture.ts'
import { hostileText } from './hostile.ts'

export function roomsSuite(fixture: Fixture): void {
  describe('rooms', () => {
    test('are found by any mix of slugs and UUIDs', async () => {
      const room = await fixture.newRoom()
      const { account } = room
      expect(room.revision).toBe(1)
      for (const owner of [account.slug, account.id]) {
        for (const name of [room.slug, room.id]) {
          expect(await fixture.store.rooms.find(owner, name)).toEqual(room)
        }
      }
      const stranger = await fixture.newAccount()
      expect(await fixture.store.rooms.find(stranger.slug, room.id)).toBeUndefined()
    })

    test('have a slug each in their account', async () => {
      const { account, slug, config } = await fixture.newRoom()
      const again = fixture.store.rooms.create({ account: account.id, slug, config, author })
      await expect(again).rejects.toMatchObject({ failure: 'exists' })
      expect((await fixture.newRoom(slug)).slug).toBe(slug)
    })

    test('need an account', async () => {
      const room = { account: 'nobody', slug: 'boiler', config: create(ConfigSchema), author }
      await expect(fixture.store.rooms.create(room)).rejects.toMatchObject({ failure: 'missing' })
      await expect(fixture.store.rooms.list('nobody')).rejects.toMatchObject({ failure: 'missing' })
    })

    test('keep their config as it is', async () => {
      const room = await fixture.newRoom()
      await fc.assert(
        fc.asyncProperty(configs, async (config) => {
          const changed = await fixture.store.rooms.configure(
            room.account.slug,
            room.slug,
            config,
            author,
          )
          expect(equals(ConfigSchema, changed.config, config)).toBe(true)
        }),
        { numRuns: 25 },
      )
    })

    test('keep hostile text in any of its fields as it is, or refuse it (S2)', async () => {
      const { account, id } = await fixture.newRoom()
      const plain = (config: Config) => JSON.parse(JSON.stringify(toJson(ConfigSchema, config)))
      let kept = 0
      await fc.assert(
        fc.asyncProperty(messageOf(ConfigSchema), hostileText, async (some, text) => {
          const config = withText(some, text.slice(0, 100_000)) as Config
          const [by, given] = [text, plain(config)]
          const change = fixture.store.rooms.configure(account.id, id, config, by)
          const outcome = await change.catch((error: unknown) => error)
          if (outcome instanceof Error) {
            expect(outcome).toMatchObject({ failure: 'invalid' })
            expect(text.length > 1_000 || /\0|\p{Surrogate}/u.test(text)).toBe(true)
            return
          }
          kept++
          expect(plain((outcome as RoomRecord).config)).toEqual(given)
          const [last] = await fixture.store.rooms.revisions(account.id, id, { limit: 1 })
          expect(last).toMatchObject({ author: by, revision: (outcome as RoomRecord).revision })
        }),
        { numRuns: 100 },
      )
      expect(kept).toBeGreaterThan(20)
    })

    test('keep a text of 10 MB in their config', async () => {
      const { account, id } = await fixture.newRoom()
      const module = 'x'.repeat(10_000_000)
      const block = { kind: { case: 'program' as const, value: { module } } }
      const config = create(ConfigSchema, { blocks: [block] })
      const changed = await fixture.store.rooms.configure(account.id, id, config, author)
      expect(equals(ConfigSchema, changed.config, config)).toBe(true)
    })

    test('count the changes of their config, each once', async () => {
      const { account, id, slug } = await fixture.newRoom()
      const changes = Array.from({ length: 8 }, () =>
        fixture.store.rooms.configure(account.id, id, create(ConfigSchema), author),
      )
      await Promise.all(changes)
      expect((await fixture.store.rooms.find(account.slug, slug))?.revision).toBe(9)
      const unknown = fixture.store.rooms.configure(
        account.id,
        'none',
        create(ConfigSchema),
        author,
      )
      await expect(unknown).rejects.toMatchObject({ failure: 'missing' })
    })

    test('change and go only as they are expected to be, one of several at once', async () => {
      const { account, id } = await fixture.newRoom()
      const change = (expected: number) =>
        fixture.store.rooms.configure(account.id, id, create(ConfigSchema), author, expected)
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => change(1)))
      const done = outcomes.filter(({ status }) => status === 'fulfilled')
      expect(done).toMatchObject([{ value: { id, revision: 2 } }])
      for (const outcome of outcomes.filter((each) => each.status === 'rejected')) {
        expect(outcome.reason).toMatchObject({ failure: 'stale', certain: true })
      }
      await expect(change(3)).rejects.toMatchObject({ failure: 'stale' })
      expect(await fixture.store.rooms.revisions(account.id, id, { limit: 9 })).toHaveLength(2)
      const deletion = fixture.store.rooms.delete(account.id, id, 1)
      await expect(deletion).rejects.toMatchObject({ failure: 'stale' })
      expect(await fixture.store.rooms.delete(account.id, id, 2)).toBe(true)
      expect(await fixture.store.rooms.delete(account.id, id, 2)).toBe(false)
      await expect(change(2)).rejects.toMatchObject({ failure: 'missing' })
    })

    test('show what their config was, page by page', async () => {
      const { account, id, slug } = await fixture.newRoom()
      const echo = { kind: { case: 'echo' as const, value: { enabled: true } } }
      const config = create(ConfigSchema, { blocks: [echo] })
      await fixture.store.rooms.configure(account.id, id, config, 'bob')
      await fixture.store.rooms.configure(account.id, id, create(ConfigSchema), 'ann')
      const page = async (range: { before?: number; limit: number }) => {
        const revisions = await fixture.store.rooms.revisions(account.slug, slug, range)
        return revisions.map(({ revision, author: who }) => [revision, who])
      }
      expect(await page({ limit: 2 })).toEqual([
        [3, 'ann'],
        [2, 'bob'],
      ])
      expect(await page({ before: 2, limit: 5 })).toEqual([[1, author]])
      const [second] = await fixture.store.rooms.revisions(account.id, id, { before: 3, limit: 1 })
      expect(equals(ConfigSchema, second!.config!, config)).toBe(true)
      expect(second!.createdAt).toBeInstanceOf(Date)
      const unknown = fixture.store.rooms.revisions(account.id, 'none', { limit: 1 })
      await expect(unknown).rejects.toMatchObject({ failure: 'missing' })
    })

    test('are listed by slug, page by page, without their configs', async () => {
      const { account } = await fixture.newRoom('b')
      for (const slug of ['c', 'b-1', 'a', 'b0']) {
        const config = create(ConfigSchema)
        await fixture.store.rooms.create({ account: account.id, slug, config, author })
      }
      const page = (range: { after?: string; limit: number }) =>
        fixture.store.rooms.page(account.slug, range)
      const slugs = async (range: { after?: string; limit: number }) =>
        (await page(range)).map(({ slug }) => slug)
      const all = (await fixture.store.rooms.list(account.id)).map(({ slug }) => slug)
      expect(await slugs({ limit: 9 })).toEqual(all)
      expect(await slugs({ limit: 2 })).toEqual(all.slice(0, 2))
      expect(await slugs({ after: all[1]!, limit: 2 })).toEqual(all.slice(2, 4))
      expect(await slugs({ after: 'b-0', limit: 1 })).toEqual(['b-1'])
      expect(await slugs({ after: 'c', limit: 1 })).toEqual([])
      expect(await page({ limit: 1 })).toEqual([
        await fixture.store.rooms.head(account.id, all[0]!),
      ])
      const unknown = fixture.store.rooms.page('nobody', { limit: 1 })
      await expect(unknown).rejects.toMatchObject({ failure: 'missing' })
    })

    test('are listed by slug and deleted once', async () => {
      const first = await fixture.newRoom('b-1')
      const account = first.account.slug
      const second = await fixture.store.rooms.create({ ...first, account, slug: 'b', author })
      expect(await fixture.store.rooms.list(account)).toEqual([second, first])
      expect(await fixture.store.rooms.delete(account, 'b')).toBe(true)
      expect(await fixture.store.rooms.delete(account, 'b')).toBe(false)
      expect(await fixture.store.rooms.list(account)).toEqual([first])
    })
  })
}

/** The same value with each text in it replaced; what names types and fields is none. */
function withText(value: unknown, text: string): unknown {
  if (typeof value === 'string') return text
  if (Array.isArray(value)) return value.map((each) => withText(each, text))
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value
  const entries = Object.entries(value).map(([key, each]) => {
    return [key, key === '$typeName' || key === 'case' ? each : withText(each, text)]
  })
  return Object.fromEntries(entries)
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
