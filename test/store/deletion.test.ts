/** S6: of what is deleted nothing is left, in whatever table, and of everything else all is. */
import { randomBytes, randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { create } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { openStore } from '../../gateway/store/postgres/open.ts'
import type { Store } from '../../gateway/store/store.ts'
import { Databases } from './backup-fixture.ts'
import { keyOf, messages } from './histories-suite.ts'

let databases: Databases
beforeAll(async () => {
  databases = await Databases.start()
})
afterAll(async () => {
  await databases.stop()
  rmSync(databases.folder, { recursive: true })
})

const grants = [{ room: 'hall', send: true, receive: true }]

/** Somebody with everything that one can have, in a room that is there. */
async function addClient(store: Store, account: string, roomId: string, slug: string) {
  const client = await store.clients.create({ account, slug, grants })
  const data = { stored: randomBytes(8).toString('hex') }
  const credential = { kind: 'password', account, client: slug, data, label: slug } as const
  await store.credentials.add({ id: randomUUID(), ...credential })
  const token = { id: randomUUID(), hash: randomBytes(32), account, grants }
  await store.tokens.create({ ...token, client: slug })
  const expiresAt = new Date('2100-01-01')
  await store.logins.create({ hash: randomBytes(32), account, client: slug, expiresAt })
  const holders = [client.id, token.id]
  await store.cursors.move(holders.map((holder) => ({ roomId, holder, sequence: 2 })))
  for (const principal of [`client:${client.id}`, `token:${token.id}`]) {
    await addSession(store, client.account.id, principal, roomId)
  }
}

/** A session of an MQTT client with everything that it can have. */
async function addSession(store: Store, accountId: string, principal: string, roomId: string) {
  const { mqttSessions } = store
  const key = randomUUID()
  const will = { body: randomBytes(8), delayS: 5 }
  const session = { key, accountId, principal, clientId: 'pump', expiryS: 60, will }
  await mqttSessions.open(session, new Date())
  await mqttSessions.subscriptions.add(key, [{ topic: 'a/b', qos: 1, roomId }])
  await mqttSessions.incoming.add([{ key, messageId: 1 }])
  const message = { key, topic: 'a/b', qos: 1 as const, body: randomBytes(8), roomId }
  await mqttSessions.queue.add([message], { messages: 10, bytes: 1_000 })
}

/** A room with everything that one can have, and those who may enter it. */
async function addRoom(store: Store, account: string, slug: string): Promise<string> {
  const config = create(ConfigSchema)
  const { id: roomId } = await store.rooms.create({ account, slug, config, author: 'ann' })
  await store.rooms.configure(account, slug, config, 'bob')
  for (const purges of [true, false]) {
    const { generation, last } = await store.histories.claim(roomId)
    const key = keyOf(roomId)
    const some = messages(last + 1, last + 20, { key, channel: 'a/b' })
    await store.histories.append([{ roomId, generation, messages: some }])
    await store.retained.save([{ roomId, channel: 'a/b', message: some[0]! }])
    if (purges) await store.histories.purge(roomId)
  }
  return roomId
}

async function addAccount(store: Store, account: string): Promise<string> {
  await store.accounts.create({ slug: account })
  const roomId = await addRoom(store, account, 'hall')
  await addClient(store, account, roomId, 'ann')
  const key = { kind: 'connection-key', account, data: { of: account }, label: '' } as const
  await store.credentials.add({ id: randomUUID(), ...key })
  const token = { id: randomUUID(), hash: randomBytes(32), account, grants }
  await store.tokens.create(token)
  return roomId
}

interface Case {
  readonly what: string
  /** Tables that have something of it before. */
  readonly tables: readonly string[]
  add(store: Store, account: string, roomId: string): Promise<unknown>
  remove(store: Store, account: string): Promise<boolean>
}

const OF_ROOM_AND_SESSION = ['mqtt_queue', 'mqtt_subscriptions']
const OF_SESSION = [...OF_ROOM_AND_SESSION, 'mqtt_incoming', 'mqtt_sessions']
const OF_OWNER = ['client_grants', 'clients', 'credentials', 'cursors', 'logins', 'tokens']
const OF_CLIENT = [...OF_OWNER, ...OF_SESSION]
const OF_ROOM = ['histories', 'messages', 'retained', 'room_revisions', 'rooms']

const cases: Case[] = [
  {
    what: 'a client',
    tables: [...OF_CLIENT, 'token_grants'],
    add: (store, account, roomId) => addClient(store, account, roomId, 'bob'),
    remove: (store, account) => store.clients.delete(account, 'bob'),
  },
  {
    what: 'a room',
    tables: [...OF_ROOM, ...OF_ROOM_AND_SESSION, 'client_grants', 'cursors', 'token_grants'],
    async add(store, account) {
      const roomId = await addRoom(store, account, 'den')
      const [client] = await store.clients.list(account)
      const more = [...grants, { room: 'den', receive: true }]
      await store.clients.change(account, 'ann', { grants: more })
      for (const { id } of await store.tokens.list(account)) {
        await store.tokens.change(id, { grants: more })
      }
      await store.cursors.move([{ roomId, holder: client!.id, sequence: 3 }])
      const [session] = await store.mqttSessions.list(`client:${client!.id}`, 1)
      const message = { topic: 'den', qos: 1 as const, roomId }
      await store.mqttSessions.subscriptions.add(session!.key, [message])
      const queued = { ...message, key: session!.key, body: randomBytes(8) }
      await store.mqttSessions.queue.add([queued], { messages: 10, bytes: 1_000 })
    },
    remove: (store, account) => store.rooms.delete(account, 'den'),
  },
  {
    what: 'an account',
    tables: [...OF_CLIENT, ...OF_ROOM, 'accounts', 'token_grants'],
    add: (store) => addAccount(store, 'gone'),
    remove: (store) => store.accounts.delete('gone'),
  },
]

test.each(cases)('$what', async ({ what, tables, add, remove }) => {
  const database = await databases.migrated()
  const store = await openStore({ ...database.options, upkeep: true })
  onTestFinished(() => store.close())
  const roomId = await addAccount(store, 'acme')
  const settled = async () => {
    const content = await database.content()
    expect(content.dropped_histories).toEqual([])
    return content
  }
  const patience = { timeout: 20_000, interval: 50 }
  const before = await vi.waitFor(settled, patience)
  await add(store, 'acme', roomId)
  const between = await vi.waitFor(settled, patience)
  const more = Object.keys(between).filter((table) => {
    return between[table]!.length > before[table]!.length
  })
  expect(more).toEqual(tables.toSorted())
  expect(await remove(store, 'acme')).toBe(true)
  await vi.waitFor(async () => {
    const after = await settled()
    const same = what === 'a room' ? withoutCounters : (content: typeof after) => content
    expect(same(after)).toEqual(same(before))
  }, patience)
})

/**
 * By a changed grant the owner's revision rises; grants of before are gone. What a session's queue
 * has lost with a room is counted when the queue is full.
 */
function withoutCounters(content: Record<string, string[]>): Record<string, string[]> {
  const { clients, tokens, client_grants, token_grants, mqtt_sessions, ...rest } = content
  const counted = [clients, tokens, client_grants, token_grants, mqtt_sessions]
  return { ...rest, counts: counted.map((rows) => String(rows!.length)) }
}
