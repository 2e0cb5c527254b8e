import type {
  Append,
  Histories,
  HistoryHead,
  PageRange,
  RetentionBounds,
  StoredKey,
  StoredPage,
} from '../../history.ts'
import { StoreError } from '../../store.ts'
import type { Database, Server } from '../database.ts'
import { AppendLine } from './line.ts'
import { page } from './page.ts'
import { HEAD, type HeadRow, type MessageRow, readHead, uuidBytes } from './rows.ts'
import { trim } from './trim.ts'

/** Of this moment, so that no copy of the database that is restored later has it, or had it. */
const NEW_EPOCH = 'floor(extract(epoch from clock_timestamp()) * 1000)::bigint'

export class PostgresHistories implements Histories {
  readonly #database: Database
  readonly #line: AppendLine
  readonly syncs: boolean

  private constructor(database: Database, line: AppendLine, syncs: boolean) {
    this.#database = database
    this.#line = line
    this.syncs = syncs
  }

  static async open(server: Server, database: Database): Promise<PostgresHistories> {
    // Whether commits wait for it is set by AppendLine, whatever the server's default is.
    const [row] = await database.run(
      (_, sql) => sql<{ syncs: boolean }[]>`select current_setting('fsync') = 'on' as syncs`,
    )
    return new PostgresHistories(database, new AppendLine(server), row?.syncs === true)
  }

  claim(roomId: string): Promise<HistoryHead> {
    return this.#one(
      `insert into histories (room_id, epoch) values ($1, ${NEW_EPOCH})
      on conflict (room_id) do update set generation = histories.generation + 1
      returning ${HEAD.replaceAll(/\w+/g, 'histories.$&')}`,
      roomId,
    )
  }

  head(roomId: string): Promise<HistoryHead | undefined> {
    return this.#find(`select ${HEAD} from histories where room_id = $1`, roomId)
  }

  append(appends: readonly Append[]): Promise<ReadonlySet<string>> {
    return this.#line.append(appends)
  }

  page(roomId: string, range: PageRange): Promise<StoredPage> {
    return this.#database.run((_, sql) => page(sql, roomId, range))
  }

  keys(roomId: string, sinceMs: number, limit: number): Promise<StoredKey[]> {
    return this.#database.run(async (_, sql) => {
      const rows = await sql<KeyRow[]>`
        select sequence, id, at, key_scope, key_body from messages
        where history = (select number from histories where room_id = ${roomId})
          and at >= ${Math.ceil(sinceMs)} and key_scope is not null
        order by at desc, sequence desc limit ${limit}`
      return rows.reverse().map((row) => ({
        sequence: Number(row.sequence),
        id: uuidBytes(row.id),
        timeMs: Number(row.at),
        scope: row.key_scope,
        body: row.key_body,
      }))
    })
  }

  async trim(roomId: string, bounds: RetentionBounds, nowMs: number): Promise<HistoryHead> {
    const head = await trim(this.#database, roomId, bounds, nowMs)
    if (!head) throw new StoreError('missing', 'the room has no history', undefined, true)
    return head
  }

  purge(roomId: string): Promise<HistoryHead> {
    return this.#one(
      `update histories set number = default, epoch = greatest(epoch + 1, ${NEW_EPOCH}),
        generation = generation + 1, first = 1, last = 0, messages = 0, bytes = 0
      where room_id = $1 returning ${HEAD}`,
      roomId,
    )
  }

  close(): Promise<void> {
    return this.#line.close()
  }

  async #one(statement: string, roomId: string): Promise<HistoryHead> {
    const head = await this.#find(statement, roomId)
    if (!head) throw new StoreError('missing', 'the room has no history', undefined, true)
    return head
  }

  #find(statement: string, roomId: string): Promise<HistoryHead | undefined> {
    return this.#database.run(async (_, sql) => {
      const [row] = await sql.unsafe<HeadRow[]>(statement, [roomId])
      return row && readHead(row)
    })
  }
}

interface KeyRow extends Pick<MessageRow, 'sequence' | 'id' | 'at'> {
  readonly key_scope: Uint8Array
  readonly key_body: Uint8Array
}
