/**
 * Retention of rooms that nobody is in: what their config says is to go, goes all the same. Those
 * that are loaded are seen to by their gateway, much sooner.
 */
import { setTimeout } from 'node:timers/promises'
import { fromJson, type JsonValue } from '@bufbuild/protobuf'
import { RetentionSchema } from '@porthouse/proto/room/v1/retention'
import type { RetentionBounds } from '../../history.ts'
import type { Database } from '../database.ts'
import { trim } from './trim.ts'

/** From the beginning of a round of all rooms to that of the next, in milliseconds. */
const ROUND_MS = 3_600_000
/** Rooms that one statement looks at. */
const ROOMS_AT_ONCE = 200
/** Statements that one room is trimmed by before others get their turn. */
const TRIMS_AT_ONCE = 10

const BEFORE_ALL = '00000000-0000-0000-0000-000000000000'

interface Row {
  readonly room_id: string
  readonly messages: string
  readonly bytes: string
  /** Of the first message kept; null: none is. */
  readonly oldest: string | null
  /** Of the config in force; null: none. */
  readonly retention: JsonValue
}

/** The next rooms that have a history, by their ids. */
const ROOMS = `
  select room_id, messages, bytes,
    (select at from messages where history = number and sequence = first) as oldest,
    case when jsonb_path_exists(config, '$.blocks[*].history ? (@.keep == "KEEP_DURABLE")')
      then jsonb_path_query_first(config, '$.blocks[*].retention') end as retention
  from (
    select * from histories where room_id > $1 order by room_id limit ${ROOMS_AT_ONCE}
  ) as histories
  join rooms on rooms.id = room_id
  join room_revisions using (room_id, revision)
  order by room_id`

export class Retention {
  /** Looked at last in this round. */
  #after = BEFORE_ALL
  /** When the next round may begin, of `performance.now()`. */
  #due = 0

  /**
   * Trims some of the rooms, in the order of their ids, each once in an hour. Resolves with whether
   * there are more now. Rejects with an AbortError where it is cut short.
   */
  async step(database: Database, nowMs: number, signal: AbortSignal): Promise<boolean> {
    const now = performance.now()
    const isFirst = this.#after === BEFORE_ALL
    if (isFirst && now < this.#due) return false
    const rows = await database.run((_, sql) => sql.unsafe<Row[]>(ROOMS, [this.#after]))
    if (isFirst) this.#due = now + ROUND_MS
    for (const row of rows) {
      // First, so that one that cannot be trimmed does not keep the others from it.
      this.#after = row.room_id
      const bounds = boundsOf(row.retention)
      if (!bounds || !isBeyond(row, bounds, nowMs)) continue
      await trimAll(database, row.room_id, bounds, nowMs, signal)
    }
    if (rows.length === ROOMS_AT_ONCE) return true
    this.#after = BEFORE_ALL
    return false
  }
}

async function trimAll(
  database: Database,
  roomId: string,
  bounds: RetentionBounds,
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  for (let first = 0, isLeft = true; isLeft; ) {
    const since = performance.now()
    const head = await trim(database, roomId, bounds, nowMs, TRIMS_AT_ONCE)
    isLeft = head !== undefined && head.first !== first
    first = head?.first ?? 0
    // As long as it took, so that the disk is free for others half of the time.
    await setTimeout(performance.now() - since, undefined, { ref: false, signal })
  }
}

/** Undefined where there are none, or not such as this version knows: nothing goes by a guess. */
function boundsOf(retention: JsonValue): RetentionBounds | undefined {
  if (retention === null) return undefined
  try {
    const { messages, bytes, ageMs } = fromJson(RetentionSchema, retention)
    return {
      ...(messages && { messages: Number(messages) }),
      ...(bytes && { bytes: Number(bytes) }),
      ...(ageMs && { ageMs: Number(ageMs) }),
    }
  } catch {
    return undefined
  }
}

function isBeyond(row: Row, { messages, bytes, ageMs }: RetentionBounds, nowMs: number): boolean {
  const isOver = (have: string, bound: number | undefined) =>
    bound !== undefined && Number(have) > bound
  const isOld = ageMs !== undefined && row.oldest !== null && Number(row.oldest) < nowMs - ageMs
  return isOver(row.messages, messages) || isOver(row.bytes, bytes) || isOld
}
