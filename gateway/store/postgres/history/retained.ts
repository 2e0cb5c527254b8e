import type { RetainedValue, RetainedValues, StoredMessage } from '../../history.ts'
import type { Database } from '../database.ts'
import { bytesArray, hexOf, plainArray, textArray } from './literal.ts'
import { type MessageRow, readMessage } from './rows.ts'

export class PostgresRetained implements RetainedValues {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  load(roomId: string): Promise<StoredMessage[]> {
    return this.#database.run(async (_, sql) => {
      const rows = await sql<MessageRow[]>`
        select sequence, at, id, sender, channel, body from retained where room_id = ${roomId}
        order by channel collate "C"`
      return rows.map(readMessage)
    })
  }

  save(values: readonly RetainedValue[]): Promise<void> {
    const latest = [
      ...new Map(values.map((value) => [`${value.roomId}/${value.channel}`, value])).values(),
    ]
    return this.#database.run(async (_, sql) => {
      await sql.unsafe(SAVE, parametersOf(latest), { prepare: true })
    })
  }
}

const SAVE = `
  with given as (
    select * from unnest(
      $1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::uuid[], $6::text[], $7::bytea[]
    ) as given (room_id, channel, sequence, at, id, sender, body)
  ),
  gone as (
    delete from retained using given
    where retained.room_id = given.room_id and retained.channel = given.channel
      and given.body is null
  )
  insert into retained (room_id, channel, sequence, at, id, sender, body)
  select given.* from given join rooms on rooms.id = given.room_id
  where body is not null
  -- In one order, so that two processes never wait for each other.
  order by room_id, channel
  on conflict (room_id, channel) do update set
    sequence = excluded.sequence, at = excluded.at, id = excluded.id, sender = excluded.sender,
    body = excluded.body`

function parametersOf(values: readonly RetainedValue[]): string[] {
  const messages = values.map(({ message }) => message)
  return [
    plainArray(values.map(({ roomId }) => roomId)),
    textArray(values.map(({ channel }) => channel)),
    plainArray(messages.map((message) => message?.sequence ?? 0)),
    plainArray(messages.map((message) => message?.timeMs ?? 0)),
    plainArray(messages.map((message) => (message ? hexOf(message.id) : 'NULL'))),
    textArray(messages.map((message) => message?.from ?? '')),
    bytesArray(messages.map((message) => message?.body)),
  ]
}
