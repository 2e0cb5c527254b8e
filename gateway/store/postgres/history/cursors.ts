import type { CursorMove, Cursors, HeldCursor, UnreadCount, UnreadQuery } from '../../history.ts'
import type { Database } from '../database.ts'
import { channelMatch } from './filters.ts'
import { plainArray } from './literal.ts'

export class PostgresCursors implements Cursors {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  move(moves: readonly CursorMove[]): Promise<void> {
    return this.#database.run(async (_, sql) => {
      await sql`
        insert into cursors (holder, room_id, history, sequence)
        select holder, room_id, number, least(max(sequence), min(last))
        from unnest(
          ${plainArray(moves.map(({ holder }) => holder))}::text::uuid[],
          ${plainArray(moves.map(({ roomId }) => roomId))}::text::uuid[],
          ${plainArray(moves.map(({ sequence }) => sequence))}::text::bigint[]
        ) as given (holder, room_id, sequence)
        join histories using (room_id)
        group by holder, room_id, number
        -- In one order, so that two processes never wait for each other.
        order by holder, room_id
        on conflict (holder, room_id) do update set
          history = excluded.history,
          sequence = case cursors.history when excluded.history
            then greatest(cursors.sequence, excluded.sequence) else excluded.sequence end`
    })
  }

  find(roomId: string, holder: string): Promise<number> {
    return this.#database.run(async (_, sql) => {
      const [row] = await sql<{ sequence: string }[]>`
        select sequence from cursors join histories using (room_id)
        where holder = ${holder} and room_id = ${roomId} and history = number`
      return Number(row?.sequence ?? 0)
    })
  }

  list(
    roomId: string,
    { after, limit }: { after?: string | undefined; limit: number },
  ): Promise<HeldCursor[]> {
    return this.#database.run(async (_, sql) => {
      const rows = await sql<{ holder: string; sequence: string; slug: string | null }[]>`
        select holder, sequence, slug from cursors
        join histories using (room_id) left join clients on clients.id = holder
        where room_id = ${roomId} and history = number
          and holder > ${after ?? '00000000-0000-0000-0000-000000000000'}
        order by holder limit ${limit}`
      return rows.map(({ holder, sequence, slug }) => {
        return { holder, sequence: Number(sequence), ...(slug !== null && { client: slug }) }
      })
    })
  }

  unread(holder: string, rooms: readonly UnreadQuery[], max: number): Promise<UnreadCount[]> {
    const matches = rooms.map(({ filters }) => channelMatch(filters))
    const parameters = [
      holder,
      plainArray(rooms.map(({ roomId }) => roomId)),
      JSON.stringify(matches.map((match) => match ?? null)),
      max,
    ]
    return this.#database.run(async (_, sql) => {
      const rows = await sql.unsafe<UnreadRow[]>(UNREAD, parameters)
      return rows.map((row) => ({
        roomId: row.room_id,
        epoch: Number(row.epoch),
        cursor: Number(row.cursor),
        last: Number(row.last),
        count: Number(row.count),
      }))
    })
  }
}

type UnreadRow = Readonly<Record<'room_id' | 'epoch' | 'cursor' | 'last' | 'count', string>>

/** Positions of a room that are looked at, where only some are heard. */
const COUNTED_MAX = 10_000

/** Positions have no gap: where all is heard, nothing has to be counted. */
const UNREAD = `
  select room_id, epoch, last, cursor, least($4::bigint, case
    when jsonb_typeof(match) = 'null' then last - greatest(cursor, first - 1)
    else (
      select count(*) from (
        select from messages
        where history = number and messages.sequence > greatest(cursor, last - ${COUNTED_MAX}) and (
          channel = any ((match ->> 'exact')::text[])
          or channel ~ any ((match ->> 'patterns')::text[])
        )
        limit $4::bigint
      ) as unread
    )
  end) as count
  from (
    select histories.*, match, coalesce(cursors.sequence, 0) as cursor
    from unnest($2::text::uuid[]) with ordinality as asked (room_id, place)
    join histories using (room_id)
    join jsonb_array_elements($3::text::jsonb) with ordinality as heard (match, place) using (place)
    left join cursors on cursors.holder = $1 and cursors.room_id = histories.room_id
      and cursors.history = histories.number
  ) as asked`
