/** Partitions of messages, one a month (UTC), made ahead, and dropped once old and empty. */
import type { Database } from '../database.ts'

/** Beside that of today. */
const MONTHS_AHEAD = 2
const NAME = /^messages_\d{4}_\d{2}$/

/**
 * Makes those that are missing of the months to come. Where a long reader is in the way, such as a
 * backup, it is left for the next time.
 */
export async function makeAhead(database: Database, nowMs: number): Promise<void> {
  const known = new Set(await partitions(database))
  for (let ahead = 0; ahead <= MONTHS_AHEAD; ahead++) {
    const from = monthOf(nowMs, ahead)
    const name = nameOf(from)
    if (known.has(name)) continue
    const bound = `from (${from}) to (${monthOf(nowMs, ahead + 1)})`
    await change(
      database,
      ['messages', 'messages_other'],
      `create table if not exists ${name} partition of messages for values ${bound};`,
    )
  }
}

/** Drops those of whole months past that nothing is left in; as `makeAhead`. */
export async function dropEmpty(database: Database, nowMs: number): Promise<void> {
  const kept = nameOf(monthOf(nowMs, -1))
  for (const name of await partitions(database)) {
    if (name >= kept || !(await isEmpty(database, name))) continue
    // Empty still, once nobody can write to it.
    await change(
      database,
      ['messages', name],
      `if not exists (select from ${name}) then drop table ${name}; end if;`,
    )
  }
}

async function isEmpty(database: Database, name: string): Promise<boolean> {
  const rows = await database.run((_, sql) => sql.unsafe(`select from ${name} limit 1`))
  return rows.length === 0
}

/** 10 ms apart: appends leave the tables free between two of them. */
const TRIES = 25

/**
 * In one transaction, with these tables to itself; nothing where they are not free for a quarter of
 * a second. It does not stand in their queue, where all appends would wait behind it for whoever
 * reads.
 */
async function change(
  database: Database,
  tables: readonly string[],
  statements: string,
): Promise<void> {
  const only = tables.map((name) => `only ${name}`).join(', ')
  const block = `do $$ begin
    perform set_config('lock_timeout', '1s', true);
    for tried in 1..${TRIES} loop
      begin
        lock table ${only} in access exclusive mode nowait;
        ${statements}
        return;
      exception when lock_not_available then
        perform pg_sleep(0.01);
      end;
    end loop;
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
