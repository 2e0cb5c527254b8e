/** What is beyond the bounds of a history is deleted, the oldest first, some at once. */
import type { HistoryHead, RetentionBounds } from '../../history.ts'
import type { Database } from '../database.ts'
import { HEAD, type HeadRow, readHead } from './rows.ts'

/** Deleted by one statement, so that none is long. */
const TRIMMED_AT_ONCE = 2_000
const STATEMENTS_MAX = 100

const TRIM = `
  with head as (
    select number, first, messages, bytes from histories where room_id = $1
  ),
  oldest as (
    select sequence, at, row_number() over (order by sequence) as place,
      sum(size) over (order by sequence) - size as bytes_before
    from (
      select sequence, at, octet_length(body) as size from messages
      where history = (select number from head) and sequence >= (select first from head)
      order by sequence limit ${TRIMMED_AT_ONCE}
    ) as eldest
  ),
  beyond as (
    select number, first, max(sequence) as last from oldest, head
    where place <= messages - $2::bigint or bytes_before < bytes - $3::bigint
      or sequence < coalesce(
        (select min(sequence) from oldest where at >= $4::bigint), sequence + 1
      )
    group by number, first
  ),
  gone as (
    delete from messages using beyond
    where messages.history = beyond.number
      and messages.sequence >= beyond.first and messages.sequence <= beyond.last
    returning octet_length(messages.body) as size
  )
  -- Last, since appends wait for whoever has changed this row.
  update histories set
    first = greatest(histories.first, beyond.last + 1),
    messages = histories.messages - gone.count,
    bytes = histories.bytes - gone.size
  from beyond, (select count(*) as count, coalesce(sum(size), 0) as size from gone) as gone
  where histories.number = beyond.number
  returning ${HEAD.replaceAll(/\w+/g, 'histories.$&')}`

/**
 * What is left; undefined where the room has no history. Of more than 200,000 messages too many, or
 * 2,000 for each of `statements`, the rest is left for the next time.
 */
export async function trim(
  database: Database,
  roomId: string,
  bounds: RetentionBounds,
  nowMs: number,
  statements = STATEMENTS_MAX,
): Promise<HistoryHead | undefined> {
  const { messages, bytes, ageMs } = bounds
  const any = Number.MAX_SAFE_INTEGER
  const cutoff = ageMs === undefined ? 0 : Math.max(0, Math.floor(nowMs - ageMs))
  const parameters = [roomId, messages ?? any, bytes ?? any, cutoff]
  for (let i = 0; i < statements; i++) {
    const trimmed = await database.run((_, sql) => sql.unsafe(TRIM, parameters, { prepare: true }))
    if (trimmed.length === 0) break
  }
  return database.run(async (_, sql) => {
    const statement = `select ${HEAD} from histories where room_id = $1`
    const [head] = await sql.unsafe<HeadRow[]>(statement, [roomId])
    return head && readHead(head)
  })
}
