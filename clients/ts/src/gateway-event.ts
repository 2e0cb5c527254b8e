import { type Event, EventKind as Kinds } from '@porthouse/proto/v1/event'
import { codeInfo, type ErrorCode } from './code.ts'
import { readTime } from './time.ts'

/** UNKNOWN: a kind newer than this client. */
export type EventKind = Exclude<keyof typeof Kinds, 'UNSPECIFIED'> | 'UNKNOWN'

/** Something that happened to a socket (R10). */
export interface GatewayEvent {
  readonly kind: EventKind
  /** `socket:…`; absent: the gateway itself. */
  readonly socket?: string
  /** Whom that socket has proved to be, as addresses. */
  readonly identities: readonly string[]
  /** `room:…` or `lobby:…`; absent: the main lobby. */
  readonly place?: string
  /** `lock:…`, and its acceptor: LOCKED, UNLOCKED, KNOCKED. */
  readonly lock?: string
  readonly acceptor?: string
  /** Why: DROPPED, LEFT. */
  readonly code?: ErrorCode
  readonly time: Date
  /** For a person, from a stranger: of KNOCKED what the one who knocks says. */
  readonly detail: string
}

const kinds = new Map<number, EventKind>(
  Object.entries(Kinds)
    .filter(([, number]) => number !== Kinds.UNSPECIFIED)
    .map(([name, number]) => [number as number, name as EventKind]),
)

export function readEvent(event: Event): GatewayEvent {
  const { socket, identities, place, lock, acceptor, code, timeMs, detail } = event
  return {
    kind: kinds.get(event.kind) ?? 'UNKNOWN',
    ...(socket && { socket }),
    identities: [...identities],
    ...(place && { place }),
    ...(lock && { lock }),
    ...(acceptor && { acceptor }),
    ...(code && { code: codeInfo(code).name }),
    time: readTime(timeMs),
    detail,
  }
}
