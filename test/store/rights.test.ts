/** The rights that porthouse needs on a server, as docs/store.md grants them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStore } from '../../gateway/store/postgres/open.ts'
import { DebianServer } from './debian.ts'
import { all, message } from './histories-suite.ts'

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
  const { slug: account } = await store.accounts.create({ slug: 'acme' })
  const config = { $typeName: 'porthouse.room.v1.Config' as const, blocks: [] }
  const { id } = await store.rooms.create({ account, slug: 'hall', config, author: 'ann' })
  const { generation } = await store.histories.claim(id)
  await store.histories.append([{ roomId: id, generation, messages: [message(1)] }])
  expect((await store.histories.page(id, all)).messages).toHaveLength(1)
  await store.histories.purge(id)
  const sql = postgres(url, { max: 1 })
  const [partitions] = await sql<{ count: number }[]>`
    select count(*)::int from pg_class where relname like 'messages\_2%' and relkind = 'r'`
  expect(partitions?.count).toBe(3)
  for (const beyond of [
    'create role other',
    'create database other',
    "copy accounts to program 'true'",
    "select pg_read_file('postgresql.conf')",
    'alter role porthouse superuser',
    "set session authorization 'owner'",
  ]) {
    await expect(sql.unsafe(beyond), beyond).rejects.toMatchObject({ code: '42501' })
  }
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
