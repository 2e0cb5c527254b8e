import type { MqttIncoming, MqttReceived } from '../../mqtt-sessions.ts'
import type { Database } from '../database.ts'
import { bytesArray, plainArray, textArray } from '../history/literal.ts'

export class PostgresMqttIncoming implements MqttIncoming {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  add(received: readonly MqttReceived[]): Promise<void> {
    const latest = new Map(received.map((each) => [`${each.messageId} ${each.key}`, each]))
    const given = [...latest.values()]
    return this.#database.run(async (_, sql) => {
      await sql.unsafe(
        ADD,
        [
          textArray(given.map(({ key }) => key)),
          plainArray(given.map(({ messageId }) => messageId)),
          bytesArray(given.map(({ packet }) => packet)),
        ],
        { prepare: true },
      )
    })
  }

  list(key: string): Promise<MqttReceived[]> {
    return this.#database.run(async (_, sql) => {
      const rows = await sql<Row[]>`
        select * from mqtt_incoming where key = ${key} order by message_id`
      return rows.map(readReceived)
    })
  }

  find(key: string, messageId: number): Promise<MqttReceived | undefined> {
    return this.#database.run(async (_, sql) => {
      const [row] = await sql<Row[]>`
        select * from mqtt_incoming where key = ${key} and message_id = ${messageId}`
      return row && readReceived(row)
    })
  }

  remove(key: string, messageIds?: readonly number[]): Promise<number> {
    return this.#database.run(async (_, sql) => {
      const these = messageIds
        ? sql`and message_id = any (${plainArray(messageIds)}::text::integer[])`
        : sql``
      const { count } = await sql`delete from mqtt_incoming where key = ${key} ${these}`
      return count
    })
  }
}

const ADD = `
  insert into mqtt_incoming (key, message_id, packet)
  select key, message_id, packet
  from unnest($1::text[], $2::integer[], $3::bytea[]) as given (key, message_id, packet)
  join (select key from mqtt_sessions) as session using (key)
  -- In one order, so that two that add at once never wait for each other.
  order by key, message_id
  on conflict (key, message_id) do update set packet = excluded.packet`

interface Row {
  readonly key: string
  readonly message_id: number
  readonly packet: Uint8Array | null
}

function readReceived({ key, message_id, packet }: Row): MqttReceived {
  return { key, messageId: message_id, ...(packet && { packet }) }
}
