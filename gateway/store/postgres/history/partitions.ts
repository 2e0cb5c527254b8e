/** Partitions of messages, one a month (UTC), made ahead, and dropped once old and empty. */
import type { Database } from '../database.ts'

/** Beside that of today. */
const MONTHS_AHEAD = 2
const NAME = /^messages_\d{4}_\d{2}$/

/** Makes those that are missing of the months to come. */
export async function makeAhead(database: Database, nowMs: number): Promise<void> {
  const known = new Set(await partitions(database))
  for (let ahead = 0; ahead <= MONTHS_AHEAD; ahead++) {
    const from = monthOf(nowMs, ahead)
    const name = nameOf(from)
    if (known.has(name)) continue
    const bound = `from (${from}) to (${monthOf(nowMs, ahead + 1)})`
    await change(
      database,
      `create table if not exists ${name} partition of messages for values ${bound};`,
    )
  }
}

/** Drops those of whole months past that nothing is left in. */
export async function dropEmpty(database: Database, nowMs: number): Promise<void> {
  const kept = nameOf(monthOf(nowMs, -1))
  for (const name of await partitions(database)) {
    if (name >= kept || !(await isEmpty(database, name))) continue
    // Empty still, once nobody can write to it.
    await change(
      database,
      `lock table only messages, only ${name} in access exclusive mode;
      if not exists (select from ${name}) then drop table ${name}; end if;`,
    )
  }
}

async function isEmpty(database: Database, name: string): Promise<boolean> {
  const rows = await database.run((_, sql) => sql.unsafe(`select from ${name} limit 1`))
  return rows.length === 0
}

/** In one transaction. All appends are held up while it waits for whoever reads: not for long. */
async function change(database: Database, statements: string): Promise<void> {
  const block = `do $$ begin
    perform set_config('lock_timeout', '1s', true);
    ${statements}
  end $$`
  await database.run((_, sql) => sql.unsafe(block))
}

async function partitions(database: Database): Promise<string[]> {
  const rows = await database.run(
    (_, sql) => sql<{ name: string }[]>`
      select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
      where inhparent = 'messages'::regclass`,
  )
  return rows.map(({ name }) => name).filter((name) => NAME.test(name))
}

/** Its first moment, so many months after that of `ms`. */
function monthOf(ms: number, months: number): number {
  const date = new Date(ms)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months)
}

/** Of a month by its first moment; their order is that of time. */
function nameOf(ms: number): string {
  return `messages_${new Date(ms).toISOString().slice(0, 7).replace('-', '_')}`
}
