import { randomBytes, randomUUID } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openStore } from '../../gateway/store/postgres/open.ts'
import type { Store } from '../../gateway/store/store.ts'
import { author, type Fixture } from './fixture.ts'
import { callStore } from './process.ts'

/** What one watcher was told: `kind:id`, or `all`. */
class Heard {
  readonly told: string[] = []
  readonly end: () => Promise<void>
  #wake = Promise.withResolvers<void>()

  static async from(store: Store): Promise<Heard> {
    const told = (change: string) => heard.#take(change)
    const end = await store.changes.watch((change) =>
      told(change ? `${change.kind}:${change.id}` : 'all'),
    )
    const heard = new Heard(end)
    return heard
  }

  private constructor(end: () => Promise<void>) {
    this.end = end
  }

  #take(change: string): void {
    this.told.push(change)
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }

  /** Waits until all of these were told, in any order; forgets all that were. */
  async all(...changes: string[]): Promise<string[]> {
    while (!changes.every((change) => this.told.includes(change))) await this.#wake.promise
    return this.told.splice(0)
  }
}

export function changesSuite(fixture: Fixture): void {
  describe('changes', () => {
    let other: Store
    let heard: Heard
    beforeAll(async () => {
      other = await openStore(fixture.server.options)
      heard = await Heard.from(other)
    })
    afterAll(async () => {
      await heard.end()
      await other.close()
    })

    /** A change that nothing else makes: what came before it has been told by then. */
    const mark = async () => {
      const { id } = await fixture.newAccount()
      return heard.all(`account:${id}`)
    }

    /** Ends the connection that hears of changes. */
    const cut = async () => {
      const sql = fixture.server.sql()
      const cuts = await sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'porthouse changes'`
      await sql.end()
      expect(cuts.length).toBeGreaterThan(0)
    }

    test('of every kind are told to another process', async () => {
      const { rooms, clients, credentials, tokens } = fixture.store
      const room = await fixture.newRoom()
      const account = room.account.id
      await heard.all(`account:${account}`, `room:${room.id}`)
      await rooms.configure(account, room.id, create(ConfigSchema), author)
      await heard.all(`room:${room.id}`)

      const client = await clients.create({ account, slug: 'pump', grants: [] })
      await heard.all(`client:${client.id}`)
      await clients.change(account, 'pump', { grants: [{ room: room.id, send: true }] })
      await heard.all(`client:${client.id}`)
      await clients.change(account, 'pump', { maxSockets: 1 })
      await heard.all(`client:${client.id}`)

      const id = randomUUID()
      const kind = 'ssh-key' as const
      await credentials.add({ id, kind, account, client: 'pump', data: {}, label: '' })
      await heard.all(`credential:${id}`)
      await credentials.expire(id, new Date())
      await heard.all(`credential:${id}`)
      await credentials.delete(id)
      await heard.all(`credential:${id}`)

      const token = await fixture.newToken(account)
      await heard.all(`token:${token.id}`)
      await tokens.change(token.id, { grants: [{ room: room.id, send: true }] })
      await heard.all(`token:${token.id}`)
      await tokens.change(token.id, { hash: randomBytes(32) })
      await heard.all(`token:${token.id}`)
      await tokens.delete(token.id)
      await heard.all(`token:${token.id}`)
    })

    test('are told of all that goes with what is deleted', async () => {
      const make = async () => {
        const room = await fixture.newRoom()
        const account = room.account.id
        const grants = [{ room: room.id, send: true }]
        const client = await fixture.store.clients.create({ account, slug: 'pump', grants })
        const token = await fixture.newToken(account, { grants })
        const acting = await fixture.newToken(account, { client: 'pump' })
        const id = randomUUID()
        const kind = 'password' as const
        const data = { account, client: 'pump', data: {}, label: '' }
        const credential = await fixture.store.credentials.add({ id, kind, ...data })
        await mark()
        const told = {
          room: `room:${room.id}`,
          client: `client:${client.id}`,
          token: `token:${token.id}`,
          acting: `token:${acting.id}`,
          credential: `credential:${credential.id}`,
        }
        return { account, ...told }
      }
      const first = await make()
      await fixture.store.rooms.delete(first.account, 'boiler')
      await heard.all(first.room, first.client, first.token)
      await fixture.store.clients.delete(first.account, 'pump')
      await heard.all(first.client, first.acting, first.credential)
      const { account, ...rest } = await make()
      await fixture.store.accounts.delete(account)
      await heard.all(`account:${account}`, ...Object.values(rest))
    })

    test('that change nothing, or nothing that is watched, are not told', async () => {
      const { slug: account, id } = await fixture.newAccount()
      const { client } = await fixture.newToken(account, { client: 'ann' })
      await mark()
      await fixture.store.clients.ensure(account, 'ann')
      const token = await fixture.newToken(account, { client: 'ann' })
      const expiresAt = new Date(Date.now() + 60_000)
      const hash = randomBytes(32)
      await fixture.store.logins.create({ hash, account, client: 'ann', expiresAt })
      await fixture.store.offences.add([`address:${id}`], new Date(), 1000)
      const told = await mark()
      expect(told).toContain(`token:${token.id}`)
      expect(told).not.toContain(`client:${client!.id}`)
      expect(told).toHaveLength(2)
    })

    test('of one transaction are all told, each once, however many they are', async () => {
      const { id } = await fixture.newAccount()
      await heard.all(`account:${id}`)
      const sql = fixture.server.sql()
      await sql`
        insert into tokens (id, account_id, hash)
        select gen_random_uuid(), ${id}, '' from generate_series(1, 3000)`
      await sql.end()
      const ids = (await fixture.store.tokens.list(id)).map((token) => `token:${token.id}`)
      await heard.all(...ids)
      await fixture.store.accounts.delete(id)
      const told = await heard.all(`account:${id}`, ...ids)
      expect(told.toSorted()).toEqual([`account:${id}`, ...ids].toSorted())
    })

    test('made by a process that ends at once are told', async () => {
      const { slug, id } = await fixture.newAccount()
      const token = await fixture.newToken(slug)
      await mark()
      await callStore(fixture.server.options, 'tokens', 'delete', token.id)
      await heard.all(`token:${token.id}`)
      await callStore(fixture.server.options, 'accounts', 'delete', slug)
      await heard.all(`account:${id}`)
    })

    test('that may have been missed are told as such, each time', async () => {
      const second = await Heard.from(other)
      for (let round = 0; round < 3; round++) {
        expect(other.changes.watching).toBe(true)
        await cut()
        await vi.waitUntil(() => !other.changes.watching, { interval: 1 })
        await Promise.all([heard.all('all'), second.all('all')])
        const { id } = await fixture.newAccount()
        await Promise.all([heard.all(`account:${id}`), second.all(`account:${id}`)])
      }
      await second.end()
    })

    test('are not told to those who have ended, nor by what nobody trusts', async () => {
      const second = await Heard.from(other)
      await second.end()
      const twice = await Promise.all([Heard.from(other), Heard.from(other)])
      const sql = fixture.server.sql()
      for (const payload of [
        '',
        'token',
        'token:',
        ':',
        `morse:${randomUUID()}`,
        'token:x',
        '\n',
      ]) {
        await sql.notify('porthouse_changes', payload)
      }
      await sql.end()
      expect(await mark()).toHaveLength(1)
      for (const each of twice) {
        expect(each.told).toHaveLength(1)
        await each.end()
      }
      expect(second.told).toEqual([])
    })

    test('are watched again after a crash, also by who began meanwhile', async () => {
      const store = await openStore(fixture.server.options)
      const crash = fixture.server.crash()
      const late = Heard.from(store)
      await crash
      const second = await late
      await heard.all('all')
      await vi.waitFor(() => fixture.store.ping(), { timeout: 20_000, interval: 20 })
      const { id } = await fixture.newAccount()
      await Promise.all([heard.all(`account:${id}`), second.all(`account:${id}`)])
      await store.close()
    })

    test('end with the store, whatever it is about to do', async () => {
      const store = await openStore(fixture.server.options)
      const first = Heard.from(store).catch((error: unknown) => error)
      await store.close()
      const closed = { failure: 'unavailable' }
      expect(await first).toMatchObject(closed)
      await expect(Heard.from(store)).rejects.toMatchObject(closed)
      const again = await openStore(fixture.server.options)
      const second = await Heard.from(again)
      await cut()
      await again.close()
      await fixture.newAccount()
      expect(second.told.filter((change) => change !== 'all')).toEqual([])
    })
  })
}
