/** Databases for the tests of backups: made, filled and read past the store. */
import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import type postgres from 'postgres'
import {
  type BackupOptions,
  backUp,
  type Held,
} from '../../gateway/store/postgres/backup/backup.ts'
import { type RestoreOptions, restore } from '../../gateway/store/postgres/backup/restore.ts'
import { connect } from '../../gateway/store/postgres/database.ts'
import { migrate } from '../../gateway/store/postgres/migrate.ts'
import { DebianServer } from './debian.ts'
import { newFolder, silent } from './process.ts'

export class Databases {
  readonly folder = newFolder()
  readonly #server: DebianServer

  static async start(): Promise<Databases> {
    return new Databases(await DebianServer.start())
  }

  private constructor(server: DebianServer) {
    this.#server = server
  }

  /** A database of the test's own, with nothing in it. */
  async empty(): Promise<TestDatabase> {
    const name = `d${randomUUID().replaceAll('-', '')}`
    const admin = this.#server.sql()
    await admin.unsafe(`create database ${name}`)
    await admin.end()
    const url = this.#server.options.url.replace(/postgres$/, name)
    return new TestDatabase(url, this.folder)
  }

  /** The same, with this version's schema. */
  async migrated(): Promise<TestDatabase> {
    const database = await this.empty()
    await migrate({ url: database.url })
    return database
  }

  stop(): Promise<void> {
    return this.#server.stop()
  }
}

export class TestDatabase {
  readonly url: string
  readonly #folder: string

  constructor(url: string, folder: string) {
    this.url = url
    this.#folder = folder
  }

  get options() {
    return { url: this.url, dataDir: '/nowhere', log: silent }
  }

  /** Asks past the store, under a name that is nobody's. */
  async ask<T>(use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
    const sql = connect({ url: this.url }, 1, 0, { name: 'test' })
    try {
      return await use(sql)
    } finally {
      await sql.end()
    }
  }

  async backUp(options: BackupOptions = {}): Promise<{ file: string; held: Held }> {
    const file = join(this.#folder, randomUUID())
    const held = await backUp(this.options, options, createWriteStream(file))
    return { file, held }
  }

  restore(file: string, options: RestoreOptions = {}): Promise<Held> {
    return restore(this.options, options, file)
  }

  /** All rows by table, in the words of COPY; partitions are read by their table. */
  async content(): Promise<Record<string, string[]>> {
    return await this.ask(async (sql) => {
      const content: Record<string, string[]> = {}
      for (const table of await tablesIn(sql)) {
        const rows =
          await sql`select t::text as row from ${sql(table)} t order by t::text collate "C"`
        content[table] = rows.map(({ row }) => row)
      }
      return content
    })
  }
}

/** Every table that is there but the migrator's own. */
export async function tablesIn(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql`
    select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
      and relname <> 'porthouse_migrations' order by 1`
  return rows.map(({ name }) => name)
}

/** A little of everything; returns the secrets that it has. */
export async function fill(sql: postgres.Sql, texts: readonly string[] = ['hello']) {
  const [account, room, client, token] = [1, 2, 3, 4].map(() => randomUUID())
  const slug = account!.slice(0, 8)
  const config = {
    blocks: [{ access: { locks: ['openid'] } }],
    'a"b_secret': 'no secret of this name, but masked',
    options: {
      client_secret: 'plain "secret\\',
      secret: 'another',
      secrets: 'kept',
      n: '"secret": "no"',
    },
  }
  await sql`insert into accounts (id, slug) values (${account!}, ${slug})`
  await sql`insert into rooms values (${room!}, ${account!}, 'hall', 1)`
  const json = JSON.stringify(config)
  await sql`insert into room_revisions values (${room!}, 1, ${json}::text::jsonb, 'ann')`
  await sql`insert into clients (id, account_id, slug) values (${client!}, ${account!}, 'bob')`
  await sql`
    insert into credentials values
      (${randomUUID()}, 'password', ${account!}, ${client!}, '{"hash": "passwordhash"}', 'of bob')`
  await sql`
    insert into tokens (id, account_id, client_id, hash, rate_per_second)
    values (${token!}, ${account!}, ${client!}, ${Buffer.from('tokenhash')}, 0.1)`
  await sql`
    insert into token_grants (token_id, room_id, send, receive)
    values (${token!}, ${room!}, true, false)`
  await sql`
    insert into logins values (${Buffer.from('loginhash')}, ${client!}, '2030-01-01 00:00:00.123Z')`
  const [history] = await sql`
    insert into histories (room_id, epoch, generation, last, messages)
    values (${room!}, 7, 3, ${texts.length}, ${texts.length}) returning number`
  await sql`insert into cursors values (${client!}, ${room!}, ${history!.number}, 1)`
  for (const [index, text] of texts.entries()) {
    await sql`
      insert into messages values (
        ${history!.number}, ${index + 1}, ${index * 1000}, ${randomUUID()},
        ${text}, ${text}, ${Buffer.from(text)})`
  }
  return { slug, room: room!, history: Number(history!.number) }
}

/** The parts of a backup. */
export function parts(file: string): { header: Record<string, unknown>; body: string } {
  const bytes = readFileSync(file)
  const start = bytes.indexOf('\n') + 1
  return {
    header: JSON.parse(bytes.toString('utf8', 0, start)),
    body: gunzipSync(bytes.subarray(start, -32)).toString('latin1'),
  }
}

/** A file with a seal that is right, whatever is in it. */
export function forge(file: string, header: unknown, body: string): string {
  const line = typeof header === 'string' ? header : JSON.stringify(header)
  const content = Buffer.concat([Buffer.from(`${line}\n`), gzipSync(Buffer.from(body, 'latin1'))])
  const forged = `${file}.forged`
  writeFileSync(forged, Buffer.concat([content, createHash('sha256').update(content).digest()]))
  return forged
}
