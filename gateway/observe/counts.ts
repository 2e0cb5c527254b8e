/**
 * What a gateway counts, where it happens: plain numbers, which cost an addition and are read when
 * somebody asks (metrics, stats). Their keys are tables of ours, never names of others (L11).
 */
import type { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import type { Code } from '@porthouse/proto/v1/code'
import type { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { Calls } from './calls.ts'

/** What a socket is spoken to by; by `http` messages come without one. */
export const MEDIA = ['websocket', 'websocket-json', 'teleprinter', 'mqtt', 'http'] as const

/** `none`: of sessions without a connection, which nobody is told of. */
export type Medium = (typeof MEDIA)[number] | 'none'

/** The sockets of one medium. */
export class Tally {
  /** Open now, and those of them that are out of limbo. */
  sockets = 0
  unlocked = 0
  /** Since the gateway has begun, as all that follows. */
  opened = 0
  /** That came to the router, and that were handed to sockets: what is past is not counted. */
  messagesIn = 0
  messagesOut = 0
  /** Read, and written, without the framing of the transport. */
  bytesIn = 0
  bytesOut = 0
}

/** Of what only looks like a socket: it has no connection, and nobody is told of it. */
export const UNCOUNTED = new Tally()

/** How often, by what. */
export class CountBy<Key> implements Iterable<readonly [Key, number]> {
  readonly #counts = new Map<Key, number>()

  add(key: Key): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  of(key: Key): number {
    return this.#counts.get(key) ?? 0
  }

  [Symbol.iterator](): Iterator<readonly [Key, number]> {
    return this.#counts[Symbol.iterator]()
  }
}

/** What was refused: a connection, a request on it, a message or a part of it, or over HTTP. */
export const REFUSED = ['connection', 'request', 'message', 'http'] as const
export type Refused = (typeof REFUSED)[number]

/** What an acceptor said to an answer; `unavailable`: it could not judge. */
export const LOGIN_OUTCOMES = ['passed', 'failed', 'unavailable'] as const
export type LoginOutcome = (typeof LOGIN_OUTCOMES)[number]

function each<Key extends string, Value>(keys: readonly Key[], make: () => Value) {
  return Object.fromEntries(keys.map((key) => [key, make()])) as Readonly<Record<Key, Value>>
}

export class Counts {
  readonly media = each<Medium, Tally>([...MEDIA, 'none'], () => new Tally())
  /** Those that were told. */
  readonly receipts = new CountBy<ReceiptStatus>()
  readonly refusals = each(REFUSED, () => new CountBy<Code>())
  /** By the acceptor's name, which the operator's plugins may have given. */
  readonly logins = each(LOGIN_OUTCOMES, () => new CountBy<string>())
  /** Places that somebody was kept out of by their locks, by why. */
  readonly lockedOut = new CountBy<Code>()
  /** How often something began to wait for a socket that does not keep up. */
  slowed = 0
  /** Messages that gave way to others for a socket, by the policy of their room. */
  readonly lost = new CountBy<Policy>()
  /** Of administration. */
  readonly calls = new Calls()
}
