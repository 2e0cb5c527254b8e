import type postgres from 'postgres'
import type { DueWill, MqttSession, MqttSessions, NewMqttSession } from '../../mqtt-sessions.ts'
import type { Database } from '../database.ts'
import { textArray } from '../history/literal.ts'
import { PostgresMqttIncoming } from './incoming.ts'
import { PostgresMqttQueue } from './queue.ts'
import { readSession, type SessionRow } from './rows.ts'
import { PostgresMqttSubscriptions } from './subscriptions.ts'

/** An expiry that never comes [MQTT-3.1.2.11.2]. */
const FOR_EVER_S = 0xff_ff_ff_ff

export class PostgresMqttSessions implements MqttSessions {
  readonly #database: Database
  readonly subscriptions: PostgresMqttSubscriptions
  readonly queue: PostgresMqttQueue
  readonly incoming: PostgresMqttIncoming

  constructor(database: Database) {
    this.#database = database
    this.subscriptions = new PostgresMqttSubscriptions(database)
    this.queue = new PostgresMqttQueue(database)
    this.incoming = new PostgresMqttIncoming(database)
  }

  open(session: NewMqttSession, at: Date): Promise<boolean> {
    const { key, accountId, principal, clientId, expiryS, will } = session
    const parameters = [
      key,
      accountId ?? null,
      principal,
      clientId,
      expiryS,
      will?.body ?? null,
      will?.delayS ?? null,
      at.toISOString(),
    ]
    return this.#ask<{ was_there: boolean }, boolean>(OPEN, parameters, (rows) =>
      rows.some((row) => row.was_there),
    )
  }

  leave(key: string, left: { at: Date; expiryS: number; willAt?: Date }): Promise<boolean> {
    const { at, expiryS, willAt } = left
    const values = [key, at.toISOString(), expiryS, willAt?.toISOString() ?? null]
    return this.#ask(LEAVE, values, (rows) => rows.count > 0)
  }

  abandon(at: Date): Promise<number> {
    return this.#ask(ABANDON, [at.toISOString()], (rows) => rows.count)
  }

  find(key: string): Promise<MqttSession | undefined> {
    return this.#ask<SessionRow, MqttSession | undefined>(
      'select * from mqtt_sessions where key = $1',
      [key],
      ([row]) => row && readSession(row),
    )
  }

  list(principal: string, limit: number): Promise<MqttSession[]> {
    return this.#ask<SessionRow, MqttSession[]>(LIST, [principal, limit], (rows) =>
      rows.map(readSession),
    )
  }

  count(principal?: string): Promise<number> {
    const which = principal === undefined ? '' : 'where principal = $1'
    return this.#ask<{ count: string }, number>(
      `select count(*) from mqtt_sessions ${which}`,
      principal === undefined ? [] : [principal],
      ([row]) => Number(row?.count),
    )
  }

  delete(keys: readonly string[]): Promise<number> {
    const statement = 'delete from mqtt_sessions where key = any ($1::text[])'
    return this.#ask(statement, [textArray(keys)], (rows) => rows.count)
  }

  deleteOf(principal: string): Promise<string[]> {
    const statement = 'delete from mqtt_sessions where principal = $1 returning key'
    return this.#ask(statement, [principal], keysOf)
  }

  dueWills(at: Date, limit: number): Promise<DueWill[]> {
    return this.#ask<SessionRow, DueWill[]>(DUE, [at.toISOString(), limit], (rows) =>
      rows.map((row) => ({
        key: row.key,
        ...(row.account_id !== null && { accountId: row.account_id }),
        principal: row.principal,
        clientId: row.client_id,
        body: row.will!,
      })),
    )
  }

  async sentWills(keys: readonly string[]): Promise<void> {
    await this.#ask(SENT, [textArray(keys)])
  }

  async expire(at: Date, limit: number): Promise<string[]> {
    const parameters = [at.toISOString(), limit]
    const expired = await this.#ask(EXPIRE, parameters, keysOf)
    await this.#ask(EXPIRE_MESSAGES, parameters)
    return expired
  }

  #ask<Row extends object, T = void>(
    statement: string,
    parameters: readonly (string | number | Uint8Array | null)[],
    read?: (rows: postgres.RowList<Row[]>) => T,
  ): Promise<T> {
    return this.#database.run(async (_, sql) => {
      const rows = await sql.unsafe<Row[]>(statement, [...parameters], { prepare: true })
      return read?.(rows) as T
    })
  }
}

function keysOf(rows: readonly { key: string }[]): string[] {
  return rows.map(({ key }) => key)
}

/** When it ends, if its client is away from `at` on. */
const endsAt = (at: string, expiryS: string) =>
  `case when ${expiryS} < ${FOR_EVER_S} then ${at} + make_interval(secs => ${expiryS}) end`

/** One that has ended is emptied, and is then as new. */
const OPEN = `
  with ended as (
    select key from mqtt_sessions where key = $1 and ends_at <= $8::timestamptz
  ),
  subscriptions as (
    delete from mqtt_subscriptions using ended where mqtt_subscriptions.key = ended.key
  ),
  queue as (
    delete from mqtt_queue using ended where mqtt_queue.key = ended.key
  ),
  incoming as (
    delete from mqtt_incoming using ended where mqtt_incoming.key = ended.key
  ),
  opened as (
    insert into mqtt_sessions as session (
      key, account_id, principal, client_id, expiry_s, will, will_delay_s, created_at
    )
    values ($1, $2::uuid, $3, $4, $5::bigint, $6::bytea, $7::bigint, $8::timestamptz)
    on conflict (key) do update set
      account_id = excluded.account_id, principal = excluded.principal,
      client_id = excluded.client_id, expiry_s = excluded.expiry_s,
      will = excluded.will, will_delay_s = excluded.will_delay_s, will_at = null,
      away_since = null, ends_at = null,
      messages = case when exists (select from ended) then 0 else session.messages end,
      bytes = case when exists (select from ended) then 0 else session.bytes end,
      created_at = case
        when exists (select from ended) then excluded.created_at else session.created_at end
    returning xmax <> 0 as was_there
  )
  select was_there and not exists (select from ended) as was_there from opened`

const LEAVE = `
  update mqtt_sessions set
    away_since = $2::timestamptz, expiry_s = $3::bigint,
    ends_at = ${endsAt('$2::timestamptz', '$3::bigint')},
    will_at = case when will is not null then $4::timestamptz end,
    will = case when $4::timestamptz is not null then will end,
    will_delay_s = case when $4::timestamptz is not null then will_delay_s end
  where key = $1`

const ABANDON = `
  update mqtt_sessions set
    away_since = $1::timestamptz,
    ends_at = ${endsAt('$1::timestamptz', 'expiry_s')},
    will_at = case when will is not null
      then $1::timestamptz + make_interval(secs => least(will_delay_s, expiry_s)) end
  where away_since is null`

const LIST = `
  select * from mqtt_sessions where principal = $1
  order by away_since nulls last, created_at, key limit $2`

const DUE = `
  select key, account_id, principal, client_id, will from mqtt_sessions
  where will_at <= $1::timestamptz order by will_at, key limit $2`

/** One that its client has set anew meanwhile stays. */
const SENT = `
  update mqtt_sessions set will = null, will_delay_s = null, will_at = null
  where key = any ($1::text[]) and will_at is not null`

const EXPIRE = `
  delete from mqtt_sessions where key in (
    select key from mqtt_sessions
    where ends_at <= $1::timestamptz and will_at is null
    order by ends_at limit $2 for update skip locked
  )
  returning key`

/** Those that were sent are still to be acknowledged. */
const EXPIRE_MESSAGES = `
  with expired as (
    delete from mqtt_queue where (key, number) in (
      select key, number from mqtt_queue
      where expires_at <= $1::timestamptz and message_id is null
      order by expires_at limit $2 for update skip locked
    )
    returning key, octet_length(topic) + octet_length(body) as size
  ),
  given as (
    select key, count(*) as messages, sum(size) as bytes from expired group by key
  )
  update mqtt_sessions set
    messages = mqtt_sessions.messages - given.messages,
    bytes = mqtt_sessions.bytes - given.bytes
  from given where mqtt_sessions.key = given.key`
