/**
 * `porthouse backup`: the store as it was at one moment, as a stream of bytes, taken while gateways
 * use it. The format is in docs/backup.md.
 */
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { StoreError } from '../../store.ts'
import type { Server } from '../database.ts'
import type { StoreOptions } from '../open.ts'
import { withServer } from '../reach.ts'
import { FORMAT, type Header, type Schema, type Table, VERSION } from './header.ts'
import { migrations, objectsOf } from './objects.ts'
import { sealed } from './seal.ts'
import { sequencesOf, tablesOf, withoutSecrets } from './tables.ts'
import { inTransaction, type Transaction } from './transaction.ts'

export interface BackupOptions {
  /** Absent: with all that the service needs to go on after a restore. */
  readonly withoutSecrets?: boolean
}

/** What a backup has, or a restore has brought back. */
export interface Held {
  readonly made: string
  readonly secrets: boolean
  /** By table. */
  readonly rows: Readonly<Record<string, number>>
}

/** Ends the rows of a table, as it does in COPY's text format. */
export const END = '\\.\n'

const NEWLINE = 0x0a
/** A gateway may be busy beside it: most of what can be saved, at a third of the work. */
const GZIP_LEVEL = 3
const BLOCK_BYTES = 64 * 1024

/**
 * Writes a backup and ends the stream. Memory is bounded, whatever the store holds. Rejects with
 * `missing` where there is no store, with `unavailable` where the database fails, and with what
 * the stream fails with; what is written then is no backup.
 */
export async function backUp(
  store: StoreOptions,
  options: BackupOptions,
  to: Writable,
): Promise<Held> {
  return await withServer(store, (server) => backUpServer(server, options, to))
}

function backUpServer(server: Server, options: BackupOptions, to: Writable): Promise<Held> {
  return inTransaction(server, 'isolation level repeatable read read only', async (tx) => {
    await tx.unsafe(
      "set local datestyle = 'ISO'; set local timezone = 'UTC'; " +
        "set local bytea_output = 'hex'; set local extra_float_digits = 1",
    )
    const header = await headerOf(tx, options)
    const rows: Record<string, number> = {}
    const packed = sections(tx, header, rows)
    const line = Buffer.from(`${JSON.stringify(header)}\n`)
    const content = async function* (compressed: AsyncIterable<Uint8Array>) {
      yield line
      yield* compressed
    }
    await pipeline(packed, createGzip({ level: GZIP_LEVEL }), content, sealed, to)
    return { made: header.made, secrets: header.secrets, rows }
  })
}

async function headerOf(tx: Transaction, options: BackupOptions): Promise<Header> {
  const schema = await schemaOf(tx)
  if (!schema) throw new StoreError('missing', 'there is no store to take a backup of')
  const all = await tablesOf(tx, objectsOf(migrations()))
  const tables = options.withoutSecrets ? withoutSecrets(all) : all
  return {
    format: FORMAT,
    version: VERSION,
    made: new Date().toISOString(),
    schema,
    secrets: !options.withoutSecrets,
    tables: tables.map(({ name, columns, partitions }) => ({ name, columns, partitions })),
    sequences: await sequencesOf(tx, tables),
  }
}

/** Undefined where porthouse has never been in this database. */
export async function schemaOf(tx: Transaction): Promise<Schema | undefined> {
  const [there] = await tx`select to_regclass('public.porthouse_migrations') as name`
  if (!there?.name) return undefined
  const [schema] = await tx<{ number: number; hash: string }[]>`
    select count(*)::int as number, (array_agg(hash order by created_at desc))[1] as hash
    from public.porthouse_migrations`
  return schema && schema.number > 0 ? { ...schema } : undefined
}

/** Of each table a line that names it, its rows, and their end; a line of their numbers at last. */
async function* sections(
  tx: Transaction,
  header: Header,
  rows: Record<string, number>,
): AsyncGenerator<Uint8Array> {
  for (const table of header.tables) {
    yield Buffer.from(`${JSON.stringify({ table: table.name })}\n`)
    let count = 0
    for await (const chunk of copyOut(tx, table, header.secrets)) {
      count += newlines(chunk)
      yield chunk
    }
    rows[table.name] = count
    yield Buffer.from(END)
  }
  yield Buffer.from(`${JSON.stringify({ rows })}\n`)
}

async function* copyOut(
  tx: Transaction,
  { name, columns }: Table,
  secrets: boolean,
): AsyncGenerator<Uint8Array> {
  const values = columns.map((column) =>
    name === 'room_revisions' && column === 'config' && !secrets ? MASKED : `"${column}"`,
  )
  const select = `select ${values.join(', ')} from public."${name}"`
  const stream: Readable = await tx.unsafe(`copy (${select}) to stdout`).readable()
  yield* inBlocks(stream)
  // The driver has stopped to read where its last chunk filled the stream, and waits for this.
  stream._read(0)
}

/** A row comes in a chunk of its own, which is too little for a round of compression. */
async function* inBlocks(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let block: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stream) {
    block.push(chunk)
    bytes += chunk.length
    if (bytes < BLOCK_BYTES) continue
    yield Buffer.concat(block)
    block = []
    bytes = 0
  }
  yield Buffer.concat(block)
}

/** A room's config without the secrets of its locks, as `room config show` masks them. */
const MASKED = String.raw`regexp_replace("config"::text,
  '("(?:(?:[^"\\]|\\.)*_)?secret": )"(?:[^"\\]|\\.)*"', '\1"***"', 'g')`

function newlines(chunk: Uint8Array): number {
  let count = 0
  for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) count++
  return count
}
