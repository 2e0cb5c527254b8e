/** Backup and restore of the store: complete, of one moment, all or nothing (P-18, S4, S5). */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import fc from 'fast-check'
import type postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { backUp } from '../../gateway/store/postgres/backup/backup.ts'
import { migrations } from '../../gateway/store/postgres/backup/objects.ts'
import { openStore } from '../../gateway/store/postgres/open.ts'
import { Databases, fill, forge, parts, type TestDatabase, tablesIn } from './backup-fixture.ts'

let databases: Databases
beforeAll(async () => {
  databases = await Databases.start()
})
afterAll(async () => {
  await databases.stop()
  rmSync(databases.folder, { recursive: true })
})

const refused = (failure: string, why: string) => ({
  name: 'StoreError',
  failure,
  message: expect.stringContaining(why),
})

/** With all that a restore changes taken out. */
function lasting(content: Record<string, string[]>): Record<string, string[]> {
  const { histories, ...rest } = content
  return { ...rest, histories: histories!.map((row) => row.split(',').toSpliced(2, 2).join()) }
}

describe('a backup', () => {
  test('brings back every row of every table, whatever is in it', async () => {
    const text = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'))
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 30 }), async (texts) => {
        const [from, to] = await Promise.all([databases.migrated(), databases.empty()])
        const hostile = [...texts, '', '\\.', '\n\\.\n', '\\N', '\t', '\\', "'; --", '\r\n']
        await from.ask((sql) => fill(sql, hostile))
        const { file, held } = await from.backUp()
        expect(await to.restore(file)).toEqual(held)
        expect(held.rows).toMatchObject({ accounts: 1, messages: hostile.length, cursors: 1 })
        expect(lasting(await to.content())).toEqual(lasting(await from.content()))
      }),
      { numRuns: 4 },
    )
  })

  test('has every table there is, with its partitions, and how far numbers have come', async () => {
    const [from, to] = await Promise.all([databases.migrated(), databases.migrated()])
    const { history } = await from.ask(async (sql) => {
      const filled = await fill(sql)
      await sql`
        create table messages_2099 partition of messages
          for values from (4070908800000) to (4073587200000)`
      await sql`delete from histories`
      return filled
    })
    const { file } = await from.backUp()
    const { tables } = parts(file).header as { tables: { name: string }[] }
    const names = tables.map(({ name }) => name).toSorted()
    expect(names).toEqual(await from.ask(tablesIn))
    await to.restore(file)
    await to.ask(async (sql) => {
      const [bound] = await sql`
        select pg_get_expr(relpartbound, oid) as text from pg_class where relname = 'messages_2099'`
      expect(bound?.text).toContain("FROM ('4070908800000') TO ('4073587200000')")
      const [row] = await sql`
        insert into histories (room_id, epoch) select id, 1 from rooms returning number`
      expect(Number(row?.number)).toBe(history + 1)
    })
  })

  test('goes on in a new epoch, and puts whoever does not notice out', async () => {
    const [from, to] = await Promise.all([databases.migrated(), databases.empty()])
    const { room } = await from.ask((sql) => fill(sql, ['a', 'b', 'c']))
    const before = Date.now()
    await to.restore((await from.backUp()).file)
    const store = await openStore(to.options)
    const head = await store.histories.head(room)
    expect(head).toMatchObject({ last: 3, messages: 3 })
    expect(head!.epoch).toBeGreaterThanOrEqual(before)
    expect(head!.generation).toBeGreaterThan(1_000_000)
    await store.close()
  })

  test('is of one moment, while others write', async () => {
    const [from, to] = await Promise.all([databases.migrated(), databases.empty()])
    const { history } = await from.ask((sql) => fill(sql, []))
    let done = false
    let stored = 0
    const writing = from.ask(async (sql) => {
      while (!done) {
        const last = stored + 1
        await sql`
          with head as (update histories set last = ${last} where number = ${history})
          insert into messages values
            (${history}, ${last}, ${last}, ${randomUUID()}, '', '', ${Buffer.alloc(300)})`
        stored = last
      }
    })
    const acked: number[] = []
    const files: string[] = []
    for (let round = 0; round < 5; round++) {
      acked.push(stored)
      files.push((await from.backUp()).file)
    }
    done = true
    await writing
    for (const [round, file] of files.entries()) {
      await to.restore(file, { replace: true })
      const [row] = await to.ask(
        (sql) => sql`
          select max(last)::int as last, (select count(*)::int from messages) as count,
            (select coalesce(max(sequence), 0)::int from messages) as highest
          from histories`,
      )
      expect(row!.count).toBeGreaterThanOrEqual(acked[round]!)
      expect([row!.count, row!.highest]).toEqual([row!.last, row!.last])
    }
    expect(stored).toBeGreaterThan(0)
  })

  test('without secrets has nothing to log in with', async () => {
    const [from, to] = await Promise.all([databases.migrated(), databases.empty()])
    await from.ask((sql) => fill(sql))
    const whole = await from.backUp()
    const { file, held } = await from.backUp({ withoutSecrets: true })
    const secrets = ['passwordhash', 'tokenhash', 'loginhash'].flatMap((text) => [
      text,
      Buffer.from(text).toString('hex'),
    ])
    const has = (path: string) =>
      [...secrets, 'plain \\', 'another'].filter((secret) => parts(path).body.includes(secret))
    expect(has(whole.file).length).toBeGreaterThan(4)
    expect(has(file)).toEqual([])
    expect(held.secrets).toBe(false)
    await to.restore(file)
    const content = await to.content()
    for (const table of ['tokens', 'token_grants', 'credentials', 'logins']) {
      expect(content[table]).toEqual([])
    }
    const [revision] = await to.ask((sql) => sql`select config from room_revisions`)
    expect(revision!.config.options).toEqual({
      client_secret: '***',
      secret: '***',
      secrets: 'kept',
      n: '"secret": "no"',
    })
  })

  test('of the version before is brought to this one', async () => {
    const [from, to] = await Promise.all([databases.empty(), databases.empty()])
    await from.ask(async (sql) => {
      const [first] = migrations()
      for (const statement of first!.sql) await sql.unsafe(statement)
      await sql`create table porthouse_migrations (id serial, hash text, created_at bigint)`
      await sql`
        insert into porthouse_migrations (hash, created_at)
        values (${first!.hash}, ${first!.folderMillis})`
      await sql`insert into accounts (slug) values ('acme')`
    })
    const { file } = await from.backUp()
    expect(parts(file).header).toMatchObject({ schema: { number: 1 } })
    await to.restore(file)
    const store = await openStore(to.options)
    expect(await store.accounts.list()).toMatchObject([{ slug: 'acme' }])
    expect(await store.clients.list('acme')).toEqual([])
    await store.close()
  })

  test('of a database where porthouse never was is refused', async () => {
    await expect((await databases.empty()).backUp()).rejects.toMatchObject({ failure: 'missing' })
  })

  test('fails with what it is written to, and with its connection', async () => {
    const from = await databases.migrated()
    await from.ask(fillMuch)
    const full = new Writable({ write: (_chunk, _encoding, done) => done(new Error('disk full')) })
    await expect(backUp(from.options, {}, full)).rejects.toThrow('disk full')
    const slow = new PassThrough()
    const cut = backUp(from.options, {}, slow)
    const outcome = expect(cut).rejects.toMatchObject({ failure: 'unavailable' })
    await once(slow, 'readable')
    await from.ask(
      (sql) => sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'porthouse backup' and datname = current_database()`,
    )
    slow.resume()
    await outcome
  })
})

describe('a restore', () => {
  let file: string
  let target: TestDatabase
  beforeAll(async () => {
    const from = await databases.migrated()
    await from.ask((sql) => fill(sql, ['one', 'two']))
    file = (await from.backUp()).file
    target = await databases.migrated()
  })

  test('of a file that is cut or changed is refused before the store is asked', async () => {
    const whole = readFileSync(file)
    const broken = join(databases.folder, 'broken')
    const nowhere = (await databases.empty()).options.url.replace(/:\d+\//, ':1/')
    const { restore } = await import('../../gateway/store/postgres/backup/restore.ts')
    const damage = fc.oneof(
      fc.nat(whole.length - 1).map((length) => whole.subarray(0, length)),
      fc.tuple(fc.nat(whole.length - 1), fc.nat(7)).map(([at, bit]) => {
        const copy = Buffer.from(whole)
        copy[at] = copy[at]! ^ (1 << bit)
        return copy
      }),
      fc.uint8Array({ minLength: 1, maxLength: 40 }).map((more) => Buffer.concat([whole, more])),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    )
    await fc.assert(
      fc.asyncProperty(damage, async (bytes) => {
        writeFileSync(broken, bytes)
        const outcome = restore({ ...target.options, url: nowhere }, {}, broken)
        await expect(outcome).rejects.toMatchObject(refused('invalid', 'damaged'))
      }),
      { numRuns: 200 },
    )
  })

  test('of what a later version has made is refused', async () => {
    const { header, body } = parts(file)
    const schema = header.schema as { number: number; hash: string }
    for (const [change, why] of [
      [{ version: 2 }, 'its format is 2'],
      [{ schema: { ...schema, number: 999 } }, 'its schema is number 999'],
      [{ schema: { ...schema, hash: '00' } }, 'is not that of this version'],
      [{ format: 'something else' }, 'no backup'],
    ] as const) {
      const forged = forge(file, { ...header, ...change }, body)
      await expect(target.restore(forged)).rejects.toMatchObject(refused('invalid', why))
    }
  })

  test('of what somebody has made by hand fails, and changes and runs nothing', async () => {
    const { header, body } = parts(file)
    const before = await target.content()
    const [accounts] = header.tables as { name: string }[]
    const only = (table: object) => ({ ...header, tables: [{ ...accounts, ...table }] })
    const bound = (bound: string) => {
      const partitions = [{ name: 'p', bound }]
      return only({ name: 'messages', columns: ['history'], partitions })
    }
    const forgeries: [unknown, string][] = [
      ['', body],
      ['null', body],
      ['[]', body],
      [{}, body],
      [{ ...header, tables: 1 }, body],
      [{ ...header, tables: [null] }, body],
      [{ ...header, sequences: [{ table: 'accounts', column: 'slug', last: 1 }] }, body],
      [{ ...header, sequences: [{ table: 'pg_class', column: 'oid', last: 1 }] }, body],
      [
        only({ name: 'pg_authid', columns: ['rolname'] }),
        '{"table":"pg_authid"}\n\\.\n{"rows":{}}\n',
      ],
      [only({ name: 'accounts"; drop table rooms; --' }), body],
      [only({ columns: ["slug) from program 'id'; --"] }), body],
      [only({ columns: ['nothing'] }), body],
      [only({ columns: [] }), body],
      [bound("DEFAULT; copy accounts from program 'touch /tmp/x'"), body],
      [bound("FOR VALUES FROM ('1') TO ((select 1))"), body],
      [header, ''],
      [header, body.slice(0, -1)],
      [header, body.slice(0, body.length / 2)],
      [header, `${body}more`],
      [header, body.replace('"accounts"', '"rooms"')],
      [header, body.replace('\\.\n', '')],
      [header, body.replace('\\.\n', 'not a row\n\\.\n')],
      [header, body.replace(/\n([\da-f-]{36})\t/, `\n$1\tagain\t2000-01-01\n$1\t`)],
      [header, body.replaceAll(/(\d\t[\da-f-]{36}\t)two/g, '$1\xff')],
      [header, `{"table":"${'x'.repeat(2_000_000)}`],
    ]
    for (const [index, [line, text]] of forgeries.entries()) {
      const outcome = target.restore(forge(file, line, text)).then(() => `${index} was restored`)
      await expect(outcome).rejects.toMatchObject({ name: 'StoreError' })
    }
    expect(await target.content()).toEqual(before)
  })

  test('whose rows do not belong together fails at their end', async () => {
    const { header, body } = parts(file)
    const start = body.indexOf('{"table":"rooms"}')
    const line = body.slice(body.indexOf('\n', start) + 1).split('\n')[0]!
    const [, account] = line.split('\t')
    const forged = forge(file, header, body.replace(line, line.replace(account!, randomUUID())))
    await expect(target.restore(forged)).rejects.toMatchObject({ name: 'StoreError' })
    expect(await target.ask((sql) => sql`select from accounts`)).toHaveLength(0)
  })

  test('into a store that has something needs --replace, and leaves nothing of it', async () => {
    const to = await databases.migrated()
    await to.ask(async (sql) => {
      await sql`insert into accounts (slug) values ('other')`
      await sql`create table somebody_elses (a int)`
      await sql`insert into somebody_elses values (1)`
    })
    const before = await to.content()
    await expect(to.restore(file)).rejects.toMatchObject(refused('exists', '--replace'))
    expect(await to.content()).toEqual(before)
    await to.restore(file, { replace: true })
    const content = await to.content()
    expect(content.accounts).toHaveLength(1)
    expect(content.accounts!.join()).not.toContain('other')
    expect(content.somebody_elses).toEqual(['(1)'])
  })

  test('while a gateway uses the store is refused', async () => {
    const to = await databases.migrated()
    const store = await openStore(to.options)
    await store.ping()
    await expect(to.restore(file)).rejects.toMatchObject(refused('unavailable', 'uses the store'))
    await store.close()
    await to.restore(file)
  })

  describe('of much', () => {
    let large: string
    beforeAll(async () => {
      const from = await databases.migrated()
      await from.ask(fillMuch)
      large = (await from.backUp()).file
    })

    /** Resolves with the process that brings the messages back into that database. */
    function filling(to: TestDatabase): Promise<number> {
      return to.ask(async (sql) => {
        for (;;) {
          const [row] = await sql`
            select pid from pg_stat_activity where query like 'copy public."messages"%'
              and datname = current_database() and pid <> pg_backend_pid()`
          if (row) return row.pid
        }
      })
    }

    test('keeps whoever opens the store waiting until it is whole', async () => {
      const to = await databases.migrated()
      const restoring = to.restore(large)
      await filling(to)
      const store = await openStore(to.options)
      expect(await store.accounts.list()).toHaveLength(1)
      expect((await to.content()).messages).toHaveLength(MUCH)
      await restoring
      await store.close()
    })

    test('that loses its connection changes nothing', async () => {
      const to = await databases.migrated()
      const outcome = expect(to.restore(large)).rejects.toMatchObject({ failure: 'unavailable' })
      const pid = await filling(to)
      await to.ask((sql) => sql`select pg_terminate_backend(${pid})`)
      await outcome
      expect((await to.content()).accounts).toEqual([])
      await to.restore(large)
      expect((await to.content()).messages).toHaveLength(MUCH)
    })
  })
})

/** Messages: more than the buffers on the way hold. */
const MUCH = 60_000

async function fillMuch(sql: postgres.Sql): Promise<void> {
  const { history } = await fill(sql)
  await sql`
    insert into messages select ${history}, n, n, gen_random_uuid(), '', '',
      sha256(n::text::bytea) || sha256((n + 1)::text::bytea)
    from generate_series(2, ${MUCH}::int) n`
}
