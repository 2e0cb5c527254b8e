/** What every implementation of the store must do, whatever server it runs on. */
import { randomUUID } from 'node:crypto'
import { create, equals, toJson } from '@bufbuild/protobuf'
import { type Config, ConfigSchema } from '@porthouse/proto/room/v1/config'
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { RoomRecord } from '../../gateway/store/store.ts'
import { messageOf } from '../rooms/arbitrary-message.ts'
import { changesSuite } from './changes-suite.ts'
import { clientsSuite } from './clients-suite.ts'
import { credentialsSuite } from './credentials-suite.ts'
import { author, Fixture, type Server } from './fixture.ts'
import { historiesModel } from './histories-model.ts'
import { historiesSuite } from './histories-suite.ts'
import { hostileText } from './hostile.ts'
import { loginsSuite } from './logins-suite.ts'
import { mqttSessionsModel } from './mqtt-sessions-model.ts'
import { mqttSessionsSuite } from './mqtt-sessions-suite.ts'
import { offencesSuite } from './offences-suite.ts'
import { tokensSuite } from './tokens-suite.ts'

export function storeSuite(start: () => Promise<Server>): void {
  const fixture = new Fixture(start)
  beforeAll(() => fixture.open())
  afterAll(() => fixture.close())

  accountsSuite(fixture)
  roomsSuite(fixture)
  clientsSuite(fixture)
  credentialsSuite(fixture)
  tokensSuite(fixture)
  loginsSuite(fixture)
  offencesSuite(fixture)
  historiesSuite(() => fixture.rooms())
  historiesModel(fixture)
  mqttSessionsSuite(() => fixture.mqttClients())
  mqttSessionsModel(fixture)
  changesSuite(fixture)
  crashSuite(fixture)
}

function accountsSuite(fixture: Fixture): void {
  describe('accounts', () => {
    test('are found by slug and by UUID in either case', async () => {
      const account = await fixture.newAccount()
      expect(account.createdAt).toBeInstanceOf(Date)
      for (const name of [account.slug, account.id, account.id.toUpperCase()]) {
        expect(await fixture.store.accounts.find(name)).toEqual(account)
      }
    })

    test('have a slug each', async () => {
      const { slug } = await fixture.newAccount()
      await expect(fixture.store.accounts.create({ slug })).rejects.toMatchObject({
        failure: 'exists',
      })
    })

    test('are listed by slug', async () => {
      await Promise.all([fixture.newAccount(), fixture.newAccount(), fixture.newAccount()])
      const slugs = (await fixture.store.accounts.list()).map(({ slug }) => slug)
      expect(slugs).toEqual(slugs.toSorted())
    })

    test('take all they own with them', async () => {
      const room = await fixture.newRoom()
      const account = room.account.slug
      const token = await fixture.newToken(account, { client: 'pump' })
      expect(await fixture.store.accounts.delete(account)).toBe(true)
      expect(await fixture.store.accounts.delete(account)).toBe(false)
      expect(await fixture.store.rooms.find(room.account.id, room.id)).toBeUndefined()
      expect(await fixture.store.tokens.find(token.id)).toBeUndefined()
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
      await expect(fixture.store.accounts.create({ slug })).rejects.toThrow('the account')
      const { account } = await fixture.newRoom()
      const room = { account: account.slug, slug, config: create(ConfigSchema), author }
      await expect(fixture.store.rooms.create(room)).rejects.toThrow('the room')
    })

    test('that nothing has are looked up in vain, whatever they hold', async () => {
      const name = fc.oneof(
        fc.string(),
        fc.constantFrom('a\0b', '\ud800', '🛶', 'x'.repeat(1_000_000), "' or true --"),
      )
      const { account } = await fixture.newRoom()
      await fc.assert(
        fc.asyncProperty(name, async (text) => {
          expect(await fixture.store.accounts.find(text)).toBeUndefined()
          expect(await fixture.store.rooms.find(account.slug, text)).toBeUndefined()
          expect(await fixture.store.tokens.find(text)).toBeUndefined()
        }),
        { numRuns: 25 },
      )
    })
  })
}

function roomsSuite(fixture: Fixture): void {
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

function crashSuite(fixture: Fixture): void {
  test('a crash of the server fails the calls of that moment, and loses nothing', async () => {
    const { account } = await fixture.newRoom()
    const kept = await fixture.newToken(account.slug, { client: 'pump' })
    let crashed = false
    const outcomes: Promise<unknown>[] = []
    const busy = (async () => {
      while (!crashed) {
        const call = fixture.newToken(account.slug, { client: 'pump' }).catch((error) => error)
        outcomes.push(call)
        await call
      }
    })()
    await fixture.server.crash()
    await vi.waitFor(() => fixture.store.ping(), { timeout: 20_000, interval: 20 })
    crashed = true
    await busy
    const failures = (await Promise.all(outcomes)).filter((outcome) => outcome instanceof Error)
    expect(failures.length).toBeGreaterThan(0)
    for (const failure of failures) {
      expect(failure).toMatchObject({ name: 'StoreError', failure: 'unavailable' })
      expect((failure as Error).message).not.toMatch(/insert|select|\$1/i)
    }
    expect(await fixture.store.tokens.find(kept.id)).toEqual(kept)
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
