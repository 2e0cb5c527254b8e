/**
 * The topics for what MQTT has no word for: `$porthouse/v1/{kind}`, whose payloads are Packets, and
 * `$porthouse/v1/json/{kind}`, the same as Protobuf JSON for people.
 */
import type { Frame } from '@porthouse/proto/v1/frame'

export const RESERVED_KINDS = ['lock', 'receipt', 'room', 'event', 'command', 'message'] as const
export type ReservedKind = (typeof RESERVED_KINDS)[number]

export interface ReservedTopic {
  readonly kind: ReservedKind
  readonly json: boolean
}

const BINARY = '$porthouse/v1/'
const JSON_TWIN = '$porthouse/v1/json/'

/** Undefined for any other topic, and for filters with wildcards. */
export function parseReserved(topic: string): ReservedTopic | undefined {
  const json = topic.startsWith(JSON_TWIN)
  if (!json && !topic.startsWith(BINARY)) return undefined
  const name = topic.slice(json ? JSON_TWIN.length : BINARY.length)
  const kind = RESERVED_KINDS.find((each) => each === name)
  return kind && { kind, json }
}

export function formatReserved({ kind, json }: ReservedTopic): string {
  return `${json ? JSON_TWIN : BINARY}${kind}`
}

/**
 * Where a frame of the gateway is told. `asked`: where the request came that a Drop with an id
 * refuses. What is of the session as a whole (Welcome, Resume, its last Drop) goes to `command`.
 */
export function kindOfFrame({ id, body }: Frame, asked: ReservedKind = 'command'): ReservedKind {
  switch (body.case) {
    case 'lockStep':
      return 'lock'
    case 'receipt':
    case 'room':
    case 'event':
      return body.case
    case 'envelope':
      return 'message'
    case 'drop':
      return id === 0 ? 'command' : asked
    default:
      return 'command'
  }
}
