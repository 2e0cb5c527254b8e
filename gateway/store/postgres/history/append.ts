/** Many messages of many rooms, stored by one statement, which is a transaction of its own. */
import type postgres from 'postgres'
import type { Append, NewMessage } from '../../history.ts'
import { bytesArray, hexOf, joined, plainArray, textArray } from './literal.ts'

/**
 * The row of a history is the guard: it changes only where the claim is the last one and the
 * positions are the next, and two that try it at once wait for each other there. So the same again
 * changes nothing, and no index has to be asked whether a position is taken.
 *
 * Arrays are unnested side by side in a select list, where no row of them is kept until all are
 * there, and bodies are cut out of one text, which costs less to read than an array of them.
 */
const APPEND = `
  with given as (
    select * from unnest(
      $1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]
    ) with ordinality as given (room_id, generation, before, count, bytes, number)
  ),
  moved as (
    update histories set
      last = histories.last + given.count,
      messages = histories.messages + given.count,
      bytes = histories.bytes + given.bytes
    from given
    where histories.room_id = given.room_id and histories.generation = given.generation
      and histories.last = given.before
    returning histories.number as history, histories.room_id, given.number
  ),
  bodies as materialized (select decode($12, 'base64') as bytes),
  new as (
    select unnest($6::bigint[]) as number, unnest($7::bigint[]) as sequence,
      unnest($8::bigint[]) as at, unnest($9::uuid[]) as id, unnest($10::text[]) as sender,
      unnest($11::text[]) as channel, unnest($13::int[]) as start, unnest($14::int[]) as length,
      unnest($15::bytea[]) as key_scope, unnest($16::bytea[]) as key_body
  ),
  stored as (
    insert into messages (
      history, sequence, at, id, sender, channel, body, key_scope, key_body
    )
    select moved.history, new.sequence, new.at, new.id, new.sender, new.channel,
      substring((select bytes from bodies) from new.start for new.length),
      new.key_scope, new.key_body
    from new join moved using (number)
  )
  select room_id from moved`

/**
 * Of each room, how many of these messages are there. What is before the first one kept was stored,
 * if nobody else has had the history since.
 */
const FOUND = `
  select histories.room_id, count(*) as found
  from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[])
    as given (room_id, generation, sequence, id)
  join histories using (room_id)
  where given.generation = histories.generation and given.sequence < first
    or exists (
      select from messages where history = histories.number
        and messages.sequence = given.sequence and messages.id = given.id
    )
  group by histories.room_id`

/** Those of which nothing was stored now: they may have been before. */
export async function append(sql: postgres.Sql, appends: readonly Append[]): Promise<Append[]> {
  const parameters = parametersOf(appends)
  const rows = await sql.unsafe<{ room_id: string }[]>(APPEND, parameters, { prepare: true })
  const stored = new Set(rows.map((row) => row.room_id))
  return appends.filter(({ roomId }) => !stored.has(roomId))
}

/** Those that are not stored. */
export async function missing(sql: postgres.Sql, appends: readonly Append[]): Promise<Append[]> {
  const each = <T>(of: (append: Append, message: NewMessage) => T) =>
    appends.flatMap((one) => one.messages.map((message) => of(one, message)))
  const rows = await sql.unsafe<{ room_id: string; found: string }[]>(FOUND, [
    plainArray(each(({ roomId }) => roomId)),
    plainArray(each(({ generation }) => generation)),
    plainArray(each((_, { sequence }) => sequence)),
    plainArray(each((_, { id }) => hexOf(id))),
  ])
  const found = new Map(rows.map((row) => [row.room_id, Number(row.found)]))
  return appends.filter(({ roomId, messages }) => found.get(roomId) !== messages.length)
}

function parametersOf(appends: readonly Append[]): string[] {
  const messages = appends.flatMap((one) => one.messages)
  const bodies = joined(messages.map(({ body }) => body))
  const sizes = appends.map((one) => one.messages.reduce((sum, { body }) => sum + body.length, 0))
  return [
    plainArray(appends.map(({ roomId }) => roomId)),
    plainArray(appends.map(({ generation }) => generation)),
    plainArray(appends.map((one) => (one.messages[0]?.sequence ?? 0) - 1)),
    plainArray(appends.map((one) => one.messages.length)),
    plainArray(sizes),
    plainArray(appends.flatMap((one, i) => one.messages.map(() => i + 1))),
    plainArray(messages.map(({ sequence }) => sequence)),
    plainArray(messages.map(({ timeMs }) => timeMs)),
    plainArray(messages.map(({ id }) => hexOf(id))),
    textArray(messages.map(({ from }) => from)),
    textArray(messages.map(({ channel }) => channel)),
    bodies.text,
    plainArray(bodies.starts),
    plainArray(messages.map(({ body }) => body.length)),
    keysArray(messages.map(({ key }) => key?.scope)),
    keysArray(messages.map(({ key }) => key?.body)),
  ]
}

/** Most batches have none: what is shorter than the others is filled up with null. */
function keysArray(keys: readonly (Uint8Array | undefined)[]): string {
  return keys.some((key) => key) ? bytesArray(keys) : '{}'
}
