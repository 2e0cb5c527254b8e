/** Rows of sessions, subscriptions and queues as store/mqtt-sessions.ts has them. */
import type { MqttSession, MqttSubscriber, Queued } from '../../mqtt-sessions.ts'

/** The driver gives a bigint as text, and so a moment. */
export interface SessionRow {
  readonly key: string
  readonly account_id: string | null
  readonly principal: string
  readonly client_id: string
  readonly expiry_s: string
  readonly away_since: string | null
  readonly will: Uint8Array | null
  readonly will_delay_s: string | null
  readonly messages: string
  readonly bytes: string
  readonly created_at: string
}

export function readSession(row: SessionRow): MqttSession {
  return {
    key: row.key,
    ...(row.account_id !== null && { accountId: row.account_id }),
    principal: row.principal,
    clientId: row.client_id,
    expiryS: Number(row.expiry_s),
    ...(row.will && { will: { body: row.will, delayS: Number(row.will_delay_s) } }),
    createdAt: new Date(row.created_at),
    ...(row.away_since !== null && { awaySince: new Date(row.away_since) }),
    queued: { messages: Number(row.messages), bytes: Number(row.bytes) },
  }
}

export interface SubscriptionRow {
  readonly key: string
  readonly topic: string
  readonly qos: number
  readonly no_local: boolean
  readonly retain_as_published: boolean
  readonly retain_handling: number
  readonly identifier: number | null
  readonly room_id: string | null
  readonly epoch: string | null
  readonly sequence: string | null
}

export function readSubscription({ key, ...row }: SubscriptionRow): MqttSubscriber {
  return {
    key,
    topic: row.topic,
    qos: row.qos as 0 | 1 | 2,
    noLocal: row.no_local,
    retainAsPublished: row.retain_as_published,
    retainHandling: row.retain_handling as 0 | 1 | 2,
    ...(row.identifier !== null && { identifier: row.identifier }),
    ...(row.room_id !== null && { roomId: row.room_id }),
    ...(row.epoch !== null && {
      position: { epoch: Number(row.epoch), sequence: Number(row.sequence) },
    }),
  }
}

export interface QueuedRow {
  readonly key: string
  readonly number: string
  readonly topic: string
  readonly qos: number
  readonly retain: boolean
  readonly body: Uint8Array
  readonly text: boolean
  readonly message_id: number | null
  readonly released: boolean
  readonly expires_at: string | null
  readonly room_id: string | null
  readonly broker: string | null
  readonly counter: string | null
}

export function readQueued(row: QueuedRow): Queued {
  return {
    key: row.key,
    number: Number(row.number),
    topic: row.topic,
    qos: row.qos as 0 | 1 | 2,
    retain: row.retain,
    body: row.body,
    text: row.text,
    ...(row.message_id !== null && { messageId: row.message_id }),
    released: row.released,
    ...(row.expires_at !== null && { expiresAt: new Date(row.expires_at) }),
    ...(row.room_id !== null && { roomId: row.room_id }),
    ...(row.broker !== null && { origin: { broker: row.broker, counter: Number(row.counter) } }),
  }
}
