/** The store on a PostgreSQL server that somebody else runs. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import {
  type AddressInfo,
  connect,
  createServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connect as connectTo } from '../../gateway/store/postgres/database.ts'
import { openStore } from '../../gateway/store/postgres/open.ts'
import type { Store } from '../../gateway/store/store.ts'
import { DebianServer, freePort } from './debian.ts'
import { newFolder } from './process.ts'
import { storeSuite } from './suite.ts'

describe('on a server', () => {
  storeSuite(() => DebianServer.start())
})

describe('on a server in trouble', () => {
  let server: DebianServer
  let store: Store
  beforeAll(async () => {
    server = await DebianServer.start()
    store = await openStore(server.options)
  })
  afterAll(async () => {
    await store.close()
    await server.stop()
  })

  const unavailable = (why: string) => ({
    failure: 'unavailable',
    message: expect.stringContaining(why),
  })

  test('a change keeps the config before it', async () => {
    const { slug: account } = await store.accounts.create({ slug: 'acme' })
    const echo = { blocks: [{ kind: { case: 'echo' as const, value: { enabled: true } } }] }
    const config = create(ConfigSchema, echo)
    const { id } = await store.rooms.create({ account, slug: 'hall', config, author: 'ann' })
    await store.rooms.configure(account, 'hall', create(ConfigSchema), 'bob')
    const sql = server.sql()
    const kept = await sql`
      select revision, config, author from room_revisions where room_id = ${id} order by revision`
    await sql.end()
    expect([...kept]).toEqual([
      { revision: 1, config: { blocks: [{ echo: { enabled: true } }] }, author: 'ann' },
      { revision: 2, config: {}, author: 'bob' },
    ])
  })

  test('a config of a later version is refused whole, and the room is not lost', async () => {
    const { slug: account } = await store.accounts.create({ slug: 'later' })
    const config = create(ConfigSchema)
    const { id, createdAt } = await store.rooms.create({
      account,
      slug: 'hall',
      config,
      author: 'ann',
    })
    const plain = await store.rooms.create({ account, slug: 'plain', config, author: 'ann' })
    const sql = server.sql()
    await sql`
      update room_revisions set config = '{"blocks": [{"newLock": {}}]}' where room_id = ${id}`
    await sql.end()
    await expect(store.rooms.find(account, 'hall')).rejects.toMatchObject({
      failure: 'unreadable',
      message: expect.stringContaining('not of this version'),
    })
    const head = { id, account: plain.account, slug: 'hall', createdAt, revision: 1 }
    expect(await store.rooms.head(account, id)).toEqual(head)
    expect(await store.rooms.list(account)).toEqual([head, plain])
    const revisions = await store.rooms.revisions(account, id, { limit: 9 })
    expect(revisions).toEqual([{ revision: 1, author: 'ann', createdAt: expect.any(Date) }])
    const mended = await store.rooms.configure(account, id, config, 'bob')
    expect(mended).toEqual({ ...head, revision: 2, config })
    expect(await store.rooms.find(account, 'hall')).toEqual(mended)
    const other = server.sql()
    await other`update room_revisions set config = '[]' where room_id = ${id}`
    await other.end()
    expect(await store.rooms.delete(account, id)).toBe(true)
  })

  test('what does not let us in says why', async () => {
    const open = (url: string) => openStore({ ...server.options, url })
    const { url } = server.options
    await expect(open(url.replace(/:\w+@/, ':wrong@'))).rejects.toMatchObject(
      unavailable('password authentication failed'),
    )
    await expect(open(`${url}-none`)).rejects.toMatchObject(unavailable('does not exist'))
    const nowhere = `postgres://127.0.0.1:${await freePort()}/none`
    await expect(open(nowhere)).rejects.toMatchObject(unavailable('ECONNREFUSED'))
  })

  test('a watch that was begun while it was down works when it is up', async () => {
    await server.fall()
    const heard = Promise.withResolvers<unknown>()
    let watches = false
    const watching = store.changes.watch(heard.resolve).then(() => {
      watches = true
    })
    await expect(store.ping()).rejects.toMatchObject({ failure: 'unavailable' })
    expect(watches).toBe(false)
    await server.run()
    await watching
    const { id } = await store.accounts.create({ slug: 'up' })
    expect(await heard.promise).toEqual({ kind: 'account', id })
  })

  test('rows of the version before mean what they meant', async () => {
    const admin = server.sql()
    await admin`create database before`
    await admin.end()
    const url = server.options.url.replace(/postgres$/, 'before')
    const [account, room, token] = [randomUUID(), randomUUID(), randomUUID()]
    const old = connectTo({ url }, 1, 0)
    await applyMigrations(drizzle(old), {
      migrationsFolder: firstMigration(),
      migrationsSchema: 'public',
      migrationsTable: 'porthouse_migrations',
    })
    await old`insert into accounts (id, slug) values (${account}, 'acme')`
    await old`
      insert into rooms (id, account_id, slug, revision) values (${room}, ${account}, 'hall', 1)`
    await old`insert into tokens (id, account_id, hash) values (${token}, ${account}, '')`
    await old`insert into token_grants values (${token}, ${room}, true, false)`
    await old.end()
    const upgraded = await openStore({ ...server.options, url })
    const rights = { send: true, receive: false, admit: false, channels: [] }
    const found = await upgraded.tokens.find(token)
    expect(found?.grants).toEqual([{ roomId: room, room: 'hall', ...rights }])
    expect((await upgraded.tokens.change(token, { grants: [] })).grants).toEqual([])
    await upgraded.close()
  })

  test('what is busy or silent is given up, and found again', async () => {
    const wire = await Wire.to(server.port)
    const far = await openStore({ ...server.options, url: wire.through(server.options.url) })
    await far.ping()
    // The watcher's connection is as silent, and nobody else would notice.
    const missed = Promise.withResolvers<void>()
    await far.changes.watch((change) => change ?? missed.resolve())
    const sql = server.sql()
    const busy = await sql.reserve()
    await busy`begin`
    await busy`lock table accounts`
    const stuck = expect(store.accounts.list()).rejects.toMatchObject(
      unavailable('statement timeout'),
    )
    wire.freeze()
    await expect(far.ping()).rejects.toMatchObject(unavailable('no answer within 5 s'))
    await stuck
    await sql.end({ timeout: 0 })
    await missed.promise
    wire.thaw()
    await far.ping()
    await store.accounts.list()
    await far.close()
    wire.close()
  })
})

/** A folder with the first of the migrations alone. */
function firstMigration(): string {
  const all = join(import.meta.dirname, '../../gateway/store/postgres/migrations')
  const folder = newFolder()
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const journal = JSON.parse(readFileSync(join(all, 'meta/_journal.json'), 'utf8'))
  const [first] = journal.entries
  copyFileSync(join(all, `${first.tag}.sql`), join(folder, `${first.tag}.sql`))
  mkdirSync(join(folder, 'meta'))
  const alone = JSON.stringify({ ...journal, entries: [first] })
  writeFileSync(join(folder, 'meta/_journal.json'), alone)
  return folder
}

/** A connection to a server that can go silent without ending. */
class Wire {
  readonly #listener: TcpServer
  readonly #pairs: [Socket, Socket][] = []

  private constructor(port: number) {
    this.#listener = createServer((near) => {
      const far = connect(port, '127.0.0.1')
      // Whoever gives a silent wire up may do so with a reset.
      for (const socket of [near, far]) socket.on('error', () => socket.destroy())
      near.pipe(far).pipe(near)
      this.#pairs.push([near, far])
    })
  }

  static async to(port: number): Promise<Wire> {
    const wire = new Wire(port)
    await once(wire.#listener.listen(0, '127.0.0.1'), 'listening')
    return wire
  }

  through(url: string): string {
    return url.replace(/:\d+\//, `:${(this.#listener.address() as AddressInfo).port}/`)
  }

  freeze(): void {
    for (const [near, far] of this.#pairs) near.unpipe(far)
  }

  thaw(): void {
    for (const [near, far] of this.#pairs) near.pipe(far)
  }

  close(): void {
    this.#listener.close()
    for (const socket of this.#pairs.flat()) socket.destroy()
  }
}
