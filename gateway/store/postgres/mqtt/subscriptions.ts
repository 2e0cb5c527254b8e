import type {
  MqttMove,
  MqttSubscriber,
  MqttSubscriberPage,
  MqttSubscription,
  MqttSubscriptions,
} from '../../mqtt-sessions.ts'
import type { Database } from '../database.ts'
import { plainArray, textArray } from '../history/literal.ts'
import { readSubscription, type SubscriptionRow } from './rows.ts'

export class PostgresMqttSubscriptions implements MqttSubscriptions {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  list(key: string): Promise<MqttSubscription[]> {
    return this.#database.run(async (_, sql) => {
      const rows = await sql<SubscriptionRow[]>`
        select * from mqtt_subscriptions where key = ${key} order by topic collate "C"`
      return rows.map((row) => {
        const { key: _, ...subscription } = readSubscription(row)
        return subscription
      })
    })
  }

  add(key: string, subscriptions: readonly MqttSubscription[]): Promise<void> {
    const latest = [...new Map(subscriptions.map((each) => [each.topic, each])).values()]
    return this.#database.run(async (_, sql) => {
      await sql.unsafe(ADD, [key, ...parametersOf(latest)], { prepare: true })
    })
  }

  remove(key: string, topics: readonly string[]): Promise<void> {
    return this.#database.run(async (_, sql) => {
      await sql`
        delete from mqtt_subscriptions
        where key = ${key} and topic = any (${textArray(topics)}::text::text[])`
    })
  }

  move(moves: readonly MqttMove[]): Promise<void> {
    const latest = new Map(moves.map((move) => [`${move.key} ${move.topic}`, move]))
    const given = [...latest.values()]
    return this.#database.run(async (_, sql) => {
      await sql.unsafe(
        MOVE,
        [
          textArray(given.map(({ key }) => key)),
          textArray(given.map(({ topic }) => topic)),
          plainArray(given.map(({ epoch }) => epoch)),
          plainArray(given.map(({ sequence }) => sequence)),
        ],
        { prepare: true },
      )
    })
  }

  inRooms(roomIds: readonly string[], page: MqttSubscriberPage): Promise<MqttSubscriber[]> {
    const { awayAt, after, limit } = page
    const parameters = [
      plainArray(roomIds),
      awayAt?.toISOString() ?? null,
      after?.key ?? '',
      after?.topic ?? '',
      limit,
    ]
    return this.#database.run(async (_, sql) => {
      const rows = await sql.unsafe<SubscriptionRow[]>(IN_ROOMS, parameters, { prepare: true })
      return rows.map(readSubscription)
    })
  }

  count(): Promise<{ subscriptions: number; sessions: number }> {
    return this.#database.run(async (_, sql) => {
      const [row] = await sql<{ subscriptions: string; sessions: string }[]>`
        select count(*) filter (where qos > 0) as subscriptions, count(distinct key) as sessions
        from mqtt_subscriptions`
      return { subscriptions: Number(row?.subscriptions), sessions: Number(row?.sessions) }
    })
  }
}

const ADD = `
  insert into mqtt_subscriptions (
    key, topic, qos, no_local, retain_as_published, retain_handling, identifier, room_id, epoch,
    sequence
  )
  select $1, * from unnest(
    $2::text[], $3::smallint[], $4::boolean[], $5::boolean[], $6::smallint[], $7::integer[],
    $8::uuid[], $9::bigint[], $10::bigint[]
  ) as given (
    topic, qos, no_local, retain_as_published, retain_handling, identifier, room_id, epoch, sequence
  )
  -- In one order, so that two that add at once never wait for each other.
  order by topic
  on conflict (key, topic) do update set
    qos = excluded.qos, no_local = excluded.no_local,
    retain_as_published = excluded.retain_as_published,
    retain_handling = excluded.retain_handling, identifier = excluded.identifier,
    room_id = excluded.room_id, epoch = excluded.epoch, sequence = excluded.sequence`

function parametersOf(subscriptions: readonly MqttSubscription[]): string[] {
  const each = (of: (subscription: MqttSubscription) => string | number | boolean | undefined) =>
    plainArray(subscriptions.map((one) => String(of(one) ?? 'NULL')))
  return [
    textArray(subscriptions.map(({ topic }) => topic)),
    each(({ qos }) => qos),
    each(({ noLocal = false }) => noLocal),
    each(({ retainAsPublished = false }) => retainAsPublished),
    each(({ retainHandling = 0 }) => retainHandling),
    each(({ identifier }) => identifier),
    each(({ roomId }) => roomId),
    each(({ position }) => position?.epoch),
    each(({ position }) => position?.sequence),
  ]
}

const MOVE = `
  with given as (
    select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
      as given (key, topic, epoch, sequence)
  ),
  -- In one order, so that two that move at once never wait for each other.
  locked as (
    select key, topic from mqtt_subscriptions where (key, topic) in (select key, topic from given)
    order by key, topic for update
  )
  update mqtt_subscriptions as subscription set epoch = given.epoch, sequence = given.sequence
  from given join locked using (key, topic)
  where subscription.key = given.key and subscription.topic = given.topic`

const IN_ROOMS = `
  select subscription.* from mqtt_subscriptions as subscription
  where room_id = any ($1::uuid[])
    and (key collate "C", topic collate "C") > ($3::text, $4::text)
    and ($2::timestamptz is null or exists (
      select from mqtt_sessions as session
      where session.key = subscription.key and away_since is not null
        and (ends_at is null or ends_at > $2::timestamptz)
    ))
  order by key collate "C", topic collate "C" limit $5`
