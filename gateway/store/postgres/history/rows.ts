/** Rows of messages and histories as store/history.ts has them. */
import type { HistoryHead, StoredMessage } from '../../history.ts'

/** The driver gives a bigint as text, a UUID with its dashes. */
export interface MessageRow {
  readonly sequence: string
  readonly at: string
  readonly id: string
  readonly sender: string
  readonly channel: string
  readonly body: Uint8Array
}

export function readMessage(row: MessageRow): StoredMessage {
  return {
    sequence: Number(row.sequence),
    id: uuidBytes(row.id),
    timeMs: Number(row.at),
    from: row.sender,
    channel: row.channel,
    body: row.body,
  }
}

export function uuidBytes(uuid: string): Uint8Array {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex')
}

export const HEAD = 'epoch, first, last, generation, messages, bytes'

export type HeadRow = Readonly<Record<keyof HistoryHead, string>>

export function readHead(row: HeadRow): HistoryHead {
  return {
    epoch: Number(row.epoch),
    first: Number(row.first),
    last: Number(row.last),
    generation: Number(row.generation),
    messages: Number(row.messages),
    bytes: Number(row.bytes),
  }
}
