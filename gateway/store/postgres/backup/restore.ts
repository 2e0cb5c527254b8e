/** `porthouse restore`: a store as a backup says it was, all of it or nothing. */
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { pipeline, type Writable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import { StoreError } from '../../store.ts'
import { LOCK } from '../migrate.ts'
import type { StoreOptions } from '../open.ts'
import { withServer } from '../reach.ts'
import { type Held, schemaOf } from './backup.ts'
import { damaged, type Header, invalid, LINE_BYTES_MAX, parseHeader, type Table } from './header.ts'
import { type Migration, migrations, objectsOf } from './objects.ts'
import { checkSeal } from './seal.ts'
import { Sections } from './sections.ts'
import { tablesOf } from './tables.ts'
import { inTransaction, type Transaction } from './transaction.ts'

export interface RestoreOptions {
  /** Deletes what the store has; absent: it must be empty. */
  readonly replace?: boolean
}

/**
 * Restores the backup in a file. Every room that has a history begins a new epoch: positions that
 * were told after the backup was taken are void. Memory is bounded. Rejects, and has changed
 * nothing, with `invalid` where the file is damaged, of a later version or no backup, with `exists`
 * where the store is not empty, with `unavailable` where somebody uses it, or the database fails.
 */
export async function restore(
  store: StoreOptions,
  options: RestoreOptions,
  file: string,
): Promise<Held> {
  const length = await checkSeal(file)
  const { header, start } = await readHeader(file)
  const steps = migrations()
  checkSchema(header, steps)
  return await withServer(store, (server) =>
    inTransaction(server, 'isolation level read committed', async (tx) => {
      await makeRoom(tx, steps, options)
      await migrateTo(tx, steps.slice(0, header.schema.number))
      const packed = createReadStream(file, { start, end: length - 1 })
      // Whoever reads it learns of a failure, whenever that was.
      const content = pipeline(packed, createGunzip(), () => {})
      const rows = await fill(tx, header, steps, content).finally(() => packed.destroy())
      await migrateTo(tx, steps.slice(header.schema.number))
      await beginEpochs(tx)
      return { made: header.made, secrets: header.secrets, rows }
    }),
  )
}

async function readHeader(file: string): Promise<{ header: Header; start: number }> {
  const parts: Buffer[] = []
  const stream = createReadStream(file, { end: LINE_BYTES_MAX })
  for await (const chunk of stream) parts.push(chunk)
  const text = Buffer.concat(parts)
  const start = text.indexOf('\n') + 1
  return { header: parseHeader(text.toString('utf8', 0, start)), start }
}

function checkSchema({ schema }: Header, steps: readonly Migration[]): void {
  if (schema.number > steps.length) {
    throw invalid(
      `its schema is number ${schema.number}, and this version of porthouse knows ` +
        `${steps.length}; restore it with the version that made it, or a later one`,
    )
  }
  if (steps[schema.number - 1]!.hash !== schema.hash) {
    throw invalid(`its schema ${schema.number} is not that of this version of porthouse`)
  }
}

/** Takes the database for itself, and takes away what it has of porthouse. */
async function makeRoom(
  tx: Transaction,
  steps: readonly Migration[],
  { replace }: RestoreOptions,
): Promise<void> {
  // Whoever opens the store now waits until this is done.
  await tx`select pg_advisory_xact_lock(${LOCK})`
  const [other] = await tx`
    select application_name as name from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
      and application_name like 'porthouse%' limit 1`
  if (other) {
    throw new StoreError('unavailable', 'a gateway or a command uses the store; end it first')
  }
  const objects = objectsOf(steps)
  const tables = await tablesOf(tx, objects)
  for (const { name } of replace ? [] : tables) {
    const [row] = await tx`select 1 from public.${tx(name)} limit 1`
    if (row) throw new StoreError('exists', 'the store is not empty; --replace deletes what it has')
  }
  for (const { name } of tables) await tx`drop table public.${tx(name)} cascade`
  for (const other of objects.others) await tx.unsafe(`drop ${other} cascade`)
  if (await schemaOf(tx)) await tx`truncate public.porthouse_migrations`
}

/** As the migrator of the driver's layer does it, which commits on its own. */
async function migrateTo(tx: Transaction, steps: readonly Migration[]): Promise<void> {
  await tx.unsafe(
    'create table if not exists public.porthouse_migrations ' +
      '(id serial primary key, hash text not null, created_at bigint)',
  )
  for (const { sql, hash, folderMillis } of steps) {
    for (const statement of sql) await tx.unsafe(statement)
    await tx`
      insert into public.porthouse_migrations (hash, created_at) values (${hash}, ${folderMillis})`
  }
}

async function fill(
  tx: Transaction,
  header: Header,
  steps: readonly Migration[],
  content: AsyncIterable<Buffer>,
): Promise<Record<string, number>> {
  const objects = objectsOf(steps.slice(0, header.schema.number))
  const known = new Map((await tablesOf(tx, objects)).map((table) => [table.name, table]))
  const sections = new Sections(content)
  for (const table of header.tables) {
    const own = known.get(table.name)
    if (!own || !table.columns.every((column) => own.columns.includes(column))) throw damaged()
    const section = parse<{ table?: unknown }>(await sections.line())
    if (section.table !== table.name) throw damaged()
    await fillTable(tx, table, sections.rows())
  }
  for (const { table, column, last } of header.sequences) {
    if (!known.get(table)?.columns.includes(column)) throw damaged()
    const [set] = await tx`
      select setval(pg_get_serial_sequence(${`public.${table}`}, ${column}), ${last}) as last`
    if (!set?.last) throw damaged()
  }
  const { rows } = parse<{ rows?: Record<string, number> }>(await sections.line())
  if (!rows || !(await sections.isAtEnd())) throw damaged()
  return rows
}

async function fillTable(
  tx: Transaction,
  { name, columns, partitions }: Table,
  rows: AsyncIterable<Buffer>,
): Promise<void> {
  const table = `public."${name}"`
  for (const { name: partition, bound } of partitions) {
    await tx.unsafe(
      `create table if not exists public."${partition}" partition of ${table} ${bound}`,
    )
  }
  // Rows come back as they were; what a change would set off has happened.
  await tx.unsafe(`alter table ${table} disable trigger user`)
  const list = columns.map((column) => `"${column}"`).join(', ')
  await copyIn(await tx.unsafe(`copy ${table} (${list}) from stdin`).writable(), rows)
  // The driver does not tell of a failure after the last row, but the next statement fails.
  await tx.unsafe(`alter table ${table} enable trigger user`)
}

async function copyIn(stream: Writable, rows: AsyncIterable<Buffer>): Promise<void> {
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {})
  stream.on('error', failed.reject)
  for await (const chunk of rows) {
    if (!stream.write(chunk)) await Promise.race([once(stream, 'drain'), failed.promise])
  }
  // The driver ends the COPY with the stream only when nothing waits in it any more.
  const written = new Promise((resolve) => stream.write(NOTHING, resolve))
  await Promise.race([written, failed.promise])
  // Its `finish` is never said where the database refuses the rows at their end (foreign keys).
  stream.end()
  await Promise.race([setImmediate(), failed.promise])
}

const NOTHING = Buffer.alloc(0)

function parse<T>(line: string): T {
  try {
    const value: unknown = JSON.parse(line)
    if (value !== null && typeof value === 'object') return value as T
  } catch {
    // As any other damage.
  }
  throw damaged()
}

/**
 * Each room's positions count on under a number that nobody was told before, and a gateway that has
 * not noticed the restore has no room any more (its generations are far below).
 */
async function beginEpochs(tx: Transaction): Promise<void> {
  await tx`
    with moment as (select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as ms)
    update public.histories
    set epoch = greatest(epoch + 1, ms), generation = greatest(generation + 1, ms) from moment`
}
