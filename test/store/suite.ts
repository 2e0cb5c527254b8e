/** What every implementation of the store must do, whatever server it runs on. */
import { randomUUID } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { administrationSuite } from './administration-suite.ts'
import { changesSuite } from './changes-suite.ts'
import { clientsSuite } from './clients-suite.ts'
import { credentialsSuite } from './credentials-suite.ts'
import { author, Fixture, type Server } from './fixture.ts'
import { historiesModel } from './histories-model.ts'
import { historiesSuite } from './histories-suite.ts'
import { loginsSuite } from './logins-suite.ts'
import { mqttSessionsModel } from './mqtt-sessions-model.ts'
import { mqttSessionsSuite } from './mqtt-sessions-suite.ts'
import { offencesSuite } from './offences-suite.ts'
import { roomsSuite } from './rooms-suite.ts'
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
  administrationSuite(fixture)
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
