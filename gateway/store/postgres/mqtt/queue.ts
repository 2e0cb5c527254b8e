import type {
  Assigned,
  MqttQueue,
  MqttQueueBounds,
  NewQueued,
  Queued,
} from '../../mqtt-sessions.ts'
import type { Database } from '../database.ts'
import { bytesArray, plainArray, textArray } from '../history/literal.ts'
import { type QueuedRow, readQueued } from './rows.ts'

export class PostgresMqttQueue implements MqttQueue {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async add(
    messages: readonly NewQueued[],
    bounds: MqttQueueBounds,
  ): Promise<ReadonlyMap<string, number>> {
    if (messages.length === 0) return new Map()
    const { messages: most, bytes } = bounds
    return this.#database.run(async (_, sql) => {
      const full = await sql.unsafe<{ key: string }[]>(
        ADD,
        [...parametersOf(messages), most, bytes],
        { prepare: true },
      )
      if (full.length === 0) return new Map()
      const keys = textArray(full.map(({ key }) => key))
      const dropped = await sql.unsafe<{ key: string; dropped: string }[]>(
        TRIM,
        [keys, most, bytes],
        { prepare: true },
      )
      return new Map(dropped.map((row) => [row.key, Number(row.dropped)]))
    })
  }

  page(
    key: string,
    { after = 0, limit, bytes, at }: { after?: number; limit: number; bytes: number; at: Date },
  ): Promise<Queued[]> {
    return this.#database.run(async (_, sql) => {
      const rows = await sql.unsafe<QueuedRow[]>(
        PAGE,
        [key, after, limit, bytes, at.toISOString()],
        { prepare: true },
      )
      return rows.map(readQueued)
    })
  }

  async assign(key: string, messages: readonly Assigned[]): Promise<number> {
    if (messages.length === 0) return 0
    const origins = messages.map((each) => ('origin' in each ? each.origin : undefined))
    const parameters = [
      key,
      plainArray(messages.map(({ messageId }) => messageId)),
      plainArray(messages.map((each) => ('number' in each ? each.number : 'NULL'))),
      nullable(origins.map((origin) => origin?.broker)),
      plainArray(origins.map((origin) => origin?.counter ?? 'NULL')),
    ]
    return this.#database.run(async (_, sql) => {
      const { count } = await sql.unsafe(ASSIGN, parameters, { prepare: true })
      return count
    })
  }

  release(key: string, messageIds: readonly number[]): Promise<number[]> {
    const parameters = [key, plainArray(messageIds)]
    return this.#database.run(async (_, sql) => {
      const rows = await sql.unsafe<{ message_id: number }[]>(RELEASE, parameters, {
        prepare: true,
      })
      return rows.map((row) => row.message_id)
    })
  }

  take(key: string, messageIds: readonly number[]): Promise<Queued[]> {
    const parameters = [key, plainArray(messageIds)]
    return this.#database.run(async (_, sql) => {
      const rows = await sql.unsafe<QueuedRow[]>(TAKE, parameters, { prepare: true })
      return rows.map(readQueued)
    })
  }
}

const SIZE = 'octet_length(topic) + octet_length(body)'

/**
 * What each queue holds is counted in its session's row, which is also the guard: two that add to
 * one wait for each other there. Those that are beyond their bounds now.
 */
const ADD = `
  with given as (
    select * from unnest(
      $1::text[], $2::text[], $3::smallint[], $4::boolean[], $5::bytea[], $6::boolean[],
      $7::integer[], $8::boolean[], $9::timestamptz[], $10::uuid[], $11::text[], $12::bigint[]
    ) with ordinality as given (
      key, topic, qos, retain, body, text, message_id, released, expires_at, room_id, broker,
      counter, place
    )
    where room_id is null or exists (select from rooms where id = room_id)
  ),
  -- In one order, so that two that add at once never wait for each other.
  locked as (
    select key from mqtt_sessions where key in (select key from given) order by key for update
  ),
  counted as (
    update mqtt_sessions as session set
      messages = session.messages + more.messages, bytes = session.bytes + more.bytes
    from (
      select key, count(*) as messages, sum(${SIZE}) as bytes from given join locked using (key)
      group by key
    ) as more
    where session.key = more.key
    returning session.key, session.messages, session.bytes
  ),
  added as (
    insert into mqtt_queue (
      key, topic, qos, retain, body, text, message_id, released, expires_at, room_id, broker,
      counter
    )
    select key, topic, qos, retain, body, text, message_id, released, expires_at, room_id, broker,
      counter
    from given join counted using (key) order by place
  )
  select key from counted where messages > $13::bigint or bytes > $14::bigint`

/** Counts them anew, so that what went with its room is no more counted. */
const TRIM = `
  with locked as (
    select key from mqtt_sessions where key = any ($1::text[]) order by key for update
  ),
  placed as (
    select key, number, ${SIZE} as size,
      row_number() over newest as place, sum(${SIZE}) over newest as total
    from mqtt_queue join locked using (key)
    window newest as (partition by key order by number desc)
  ),
  gone as (
    delete from mqtt_queue using placed
    where mqtt_queue.key = placed.key and mqtt_queue.number = placed.number
      and (place > $2::bigint or total > $3::bigint)
    returning mqtt_queue.key
  ),
  counted as (
    update mqtt_sessions as session set messages = kept.messages, bytes = kept.bytes
    from (
      select key,
        count(*) filter (where place <= $2::bigint and total <= $3::bigint) as messages,
        coalesce(sum(size) filter (where place <= $2::bigint and total <= $3::bigint), 0) as bytes
      from placed group by key
    ) as kept
    where session.key = kept.key
  )
  select key, count(*) as dropped from gone group by key`

const PAGE = `
  select * from (
    select *, sum(${SIZE}) over (order by number) as total, row_number() over (order by number)
      as place
    from (
      select * from mqtt_queue
      where key = $1 and number > $2::bigint
        and (expires_at is null or expires_at > $5::timestamptz or message_id is not null)
      order by number limit $3
    ) as next
  ) as page
  where total <= $4::bigint or place = 1
  order by number`

const ASSIGN = `
  update mqtt_queue set message_id = given.message_id
  from unnest($2::integer[], $3::bigint[], $4::text[], $5::bigint[])
    as given (message_id, number, broker, counter)
  where key = $1 and (
    mqtt_queue.number = given.number
    or mqtt_queue.broker = given.broker and mqtt_queue.counter = given.counter
  )`

/** The oldest by each of these packet identifiers, locked in the order in which `add` locks. */
const OLDEST = `
  locked as (
    select key from mqtt_sessions where key = $1 for update
  ),
  oldest as (
    select distinct on (message_id) number from mqtt_queue join locked using (key)
    where message_id = any ($2::integer[]) order by message_id, number
  )`

const RELEASE = `
  with ${OLDEST},
  released as (
    update mqtt_queue as message set released = true, body = '', text = false
    from (
      select number, octet_length(body) as size from mqtt_queue join oldest using (number)
      where key = $1
    ) as before
    where key = $1 and message.number = before.number
    returning message_id, size
  ),
  counted as (
    update mqtt_sessions set bytes = bytes - (select coalesce(sum(size), 0) from released)
    where key = $1
  )
  select message_id from released`

const TAKE = `
  with ${OLDEST},
  taken as (
    delete from mqtt_queue using oldest
    where key = $1 and mqtt_queue.number = oldest.number
    returning mqtt_queue.*
  ),
  counted as (
    update mqtt_sessions set
      messages = messages - (select count(*) from taken),
      bytes = bytes - (select coalesce(sum(${SIZE}), 0) from taken)
    where key = $1
  )
  select * from taken order by number`

function parametersOf(messages: readonly NewQueued[]): string[] {
  const each = (of: (message: NewQueued) => string | number | boolean | undefined) =>
    plainArray(messages.map((one) => String(of(one) ?? 'NULL')))
  return [
    textArray(messages.map(({ key }) => key)),
    textArray(messages.map(({ topic }) => topic)),
    each(({ qos }) => qos),
    each(({ retain = false }) => retain),
    bytesArray(messages.map(({ body }) => body)),
    each(({ text = false }) => text),
    each(({ messageId }) => messageId),
    each(({ released = false }) => released),
    each(({ expiresAt }) => expiresAt?.toISOString()),
    each(({ roomId }) => roomId),
    nullable(messages.map(({ origin }) => origin?.broker)),
    each(({ origin }) => origin?.counter),
  ]
}

function nullable(values: readonly (string | undefined)[]): string {
  const quoted = values.map((value) =>
    value === undefined ? 'NULL' : textArray([value]).slice(1, -1),
  )
  return `{${quoted.join()}}`
}
