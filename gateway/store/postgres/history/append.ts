/** Many messages of many rooms, stored by one statement, which is a transaction of its own. */
import type postgres from 'postgres'
import type { Append } from '../../history.ts'
import { StoreError } from '../../store.ts'
import { bytesArray, hexOf, plainArray, textArray } from './literal.ts'

/**
 * The row of a history is the guard: it changes only where the claim is the last one and the
 * positions are the next, and two that try it at once wait for each other there. So the same again
 * changes nothing, and no index has to be asked whether a position is taken.
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
  stored as (
    insert into messages (
      history, sequence, at, id, sender, channel, body, key_scope, key_body
    )
    select moved.history, new.sequence, new.at, new.id, new.sender, new.channel, new.body,
      new.key_scope, new.key_body
    from unnest(
      $6::bigint[], $7::bigint[], $8::bigint[], $9::uuid[], $10::text[], $11::text[],
      $12::bytea[], $13::bytea[], $14::bytea[]
    ) as new (number, sequence, at, id, sender, channel, body, key_scope, key_body)
    join moved using (number)
  )
  select room_id from moved`

/** Of the messages given, how many are there, or were and are kept no more. */
const FOUND = `
  select count(*) as found
  from histories, unnest($2::bigint[], $3::uuid[]) as given (sequence, id)
  where room_id = $1 and (
    given.sequence < first and given.sequence <= last
    or exists (
      select from messages where history = histories.number
        and messages.sequence = given.sequence and messages.id = given.id
    )
  )`

/** Rooms of which nothing was stored, since the claim is another's or the room is gone. */
export async function append(
  sql: postgres.Sql,
  appends: readonly Append[],
): Promise<ReadonlySet<string>> {
  const wanted = appends.filter(({ messages }) => messages.length > 0)
  const stored = await sql.unsafe<{ room_id: string }[]>(APPEND, parametersOf(wanted), {
    prepare: true,
  })
  const rooms = new Set(stored.map((row) => row.room_id))
  const refused = new Set<string>()
  for (const one of wanted) {
    if (!rooms.has(one.roomId) && !(await isStored(sql, one))) refused.add(one.roomId)
  }
  return refused
}

/** Whether it was stored before. Rejects where another message has one of its positions. */
async function isStored(sql: postgres.Sql, { roomId, generation, messages }: Append) {
  const sequences = plainArray(messages.map(({ sequence }) => sequence))
  const ids = plainArray(messages.map(({ id }) => hexOf(id)))
  const [row] = await sql.unsafe<{ found: string }[]>(FOUND, [roomId, sequences, ids])
  if (Number(row?.found) === messages.length) return true
  const [claim] = await sql`
    select from histories where room_id = ${roomId} and generation = ${generation}`
  if (!claim) return false
  throw new StoreError('exists', 'a position is taken, or not the next', undefined, true)
}

function parametersOf(appends: readonly Append[]): string[] {
  const messages = appends.flatMap((one) => one.messages)
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
    bytesArray(messages.map(({ body }) => body)),
    bytesArray(messages.map(({ key }) => key?.scope)),
    bytesArray(messages.map(({ key }) => key?.body)),
  ]
}
