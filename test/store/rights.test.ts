/**
 * The rights that porthouse has: on a server, those that docs/store.md grants; in the embedded
 * database, those that it gives itself.
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connect } from '../../gateway/store/postgres/database.ts'
import { openFolders } from '../../gateway/store/postgres/embedded/folders.ts'
import { Lease } from '../../gateway/store/postgres/embedded/lease.ts'
import { ROLE, SUPERUSER } from '../../gateway/store/postgres/embedded/role.ts'
import { MIGRATIONS } from '../../gateway/store/postgres/migrate.ts'
import { openStore } from '../../gateway/store/postgres/open.ts'
import type { Store } from '../../gateway/store/store.ts'
import { DebianServer } from './debian.ts'
import { all, message } from './histories-suite.ts'
import { newFolder, silent, stopped } from './process.ts'

/** What a statement could do that somebody slipped in. */
const BEYOND = [
  'create role other',
  'create database other',
  "copy accounts to program 'true'",
  "copy accounts from program 'cat /etc/passwd'",
  "copy accounts to '/tmp/porthouse-stolen'",
  "copy accounts from '/etc/passwd'",
  "select pg_read_file('postgresql.conf')",
  "select pg_ls_dir('.')",
  "select lo_import('/etc/passwd')",
  'alter role current_user superuser',
  'alter role current_user createrole',
  "alter system set archive_command = 'true'",
  'grant pg_execute_server_program to current_user',
  "create function beyond() returns int language c as 'libc', 'system'",
  'checkpoint',
]

/** SQLSTATE: insufficient_privilege. */
const REFUSED = { code: '42501' }

/** Uses a store in the ways that need rights. */
async function useAll(store: Store, slug: string): Promise<void> {
  const { slug: account } = await store.accounts.create({ slug })
  const config = { $typeName: 'porthouse.room.v1.Config' as const, blocks: [] }
  const { id } = await store.rooms.create({ account, slug: 'hall', config, author: 'ann' })
  const { generation } = await store.histories.claim(id)
  await store.histories.append([{ roomId: id, generation, messages: [message(1)] }])
  expect((await store.histories.page(id, all)).messages).toHaveLength(1)
  await store.histories.purge(id)
}

async function isHeldBack(sql: postgres.Sql, superuser: string): Promise<void> {
  const [partitions] = await sql<{ count: number }[]>`
    select count(*)::int from pg_class where relname like 'messages\_2%' and relkind = 'r'`
  expect(partitions?.count).toBe(3)
  const others = [`set session authorization ${superuser}`, `set role ${superuser}`]
  for (const beyond of [...BEYOND, ...others]) {
    await expect(sql.unsafe(beyond), beyond).rejects.toMatchObject(REFUSED)
  }
}

describe('on a server', () => {
  let server: DebianServer
  beforeAll(async () => {
    server = await DebianServer.start()
  })
  afterAll(() => server.stop())

  /** Statements of the page's first block of SQL. */
  function snippet(): string[] {
    const page = readFileSync(join(import.meta.dirname, '../../docs/store.md'), 'utf8')
    const [, block = ''] = /```sql\n([\s\S]*?)```/.exec(page) ?? []
    return block.split(/;\s*\n/).filter((statement) => statement.trim())
  }

  /** The URL of a database where porthouse may do what the page says. */
  async function granted(): Promise<string> {
    const admin = postgres(server.options.url, { max: 1 })
    let inside: postgres.Sql | undefined
    const here = server.options.url.replace(/postgres$/, 'porthouse')
    for (const statement of snippet()) {
      if (statement.startsWith('\\connect')) inside = postgres(here, { max: 1 })
      else await (inside ?? admin).unsafe(statement)
    }
    await Promise.all([admin.end(), inside?.end()])
    return here.replace(/\/\/owner:\w+@/, '//porthouse:secret@')
  }

  test('a role with the least rights can run a gateway, and nothing else', async () => {
    const url = await granted()
    const store = await openStore({ ...server.options, url, upkeep: true })
    await useAll(store, 'acme')
    const sql = postgres(url, { max: 1 })
    await isHeldBack(sql, 'owner')
    await sql.end()
    await store.close()
  })

  test('who may connect to the server, but not to its database, is not let in', async () => {
    const admin = postgres(server.options.url, { max: 1 })
    await admin`create role stranger login password 'stranger'`
    await admin.end()
    const url = server.options.url
      .replace(/\/\/owner:\w+@/, '//stranger:stranger@')
      .replace(/postgres$/, 'porthouse')
    await expect(openStore({ ...server.options, url })).rejects.toThrow('permission denied')
  })
})

describe('in the embedded database', () => {
  const folder = newFolder()
  const used: string[] = []
  afterAll(async () => {
    await Promise.all(used.map(stopped))
    rmSync(folder, { recursive: true })
  })

  /** A data folder of the test's own, in which nothing is yet. */
  function newData(name: string) {
    const dataDir = join(folder, name)
    used.push(dataDir)
    const { sockets } = openFolders(dataDir)
    const options = { dataDir, log: silent, embedded: { graceMs: 200 }, upkeep: true }
    const direct = (user = ROLE) => {
      const sql = connect({ sockets }, 1, 0, { user })
      onTestFinished(() => sql.end())
      return sql
    }
    return { options, direct }
  }

  /** Whom what is in the database belongs to. */
  async function owners(sql: postgres.Sql): Promise<string[]> {
    const rows = await sql<{ owner: string }[]>`
      select relowner::regrole::text as owner from pg_class
      where relnamespace = 'public'::regnamespace
      union select proowner::regrole::text from pg_proc
      where pronamespace = 'public'::regnamespace`
    return rows.map(({ owner }) => owner)
  }

  test('a gateway owns its tables, and may do nothing beside', async () => {
    const { options, direct } = newData('new')
    const store = await openStore(options)
    onTestFinished(() => store.close())
    await useAll(store, 'acme')
    await isHeldBack(direct(), SUPERUSER)
    expect(await owners(direct(SUPERUSER))).toEqual([ROLE])
  })

  test('what a version before it made as the superuser becomes its own', async () => {
    const { options, direct } = newData('old')
    const lease = await Lease.take({ ...options, ...options.embedded })
    onTestFinished(() => lease.release())
    const sql = direct(SUPERUSER)
    await applyMigrations(drizzle(sql), {
      migrationsFolder: MIGRATIONS,
      migrationsSchema: 'public',
      migrationsTable: 'porthouse_migrations',
    })
    await sql`insert into accounts (slug) values ('kept')`
    await sql`
      create table messages_2031_01 partition of messages for values from (1924992000000)
        to (1927670400000)`
    expect(await owners(sql)).toEqual([SUPERUSER])
    const stores = await Promise.all([openStore(options), openStore(options)])
    for (const store of stores) onTestFinished(() => store.close())
    expect((await stores[0].accounts.list()).map(({ slug }) => slug)).toEqual(['kept'])
    await useAll(stores[1], 'new')
    await sql`drop table messages_2031_01`
    await isHeldBack(direct(), SUPERUSER)
    expect(await owners(sql)).toEqual([ROLE])
  })
})
