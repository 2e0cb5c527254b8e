/** A live connection as the router sees it; a session implements it (R28, R31). */
import type { Tally } from '../observe/counts.ts'
import type { EnvelopeBody, Stamp } from '../protocol/packet-writer.ts'
import type { Batch } from './batch.ts'
import type { Lane } from './lane.ts'
import type { Membership } from './membership.ts'
import type { Structure } from './structure.ts'
import type { Terms } from './terms.ts'

/** One of those that a socket may send as (R8). */
export interface Actor {
  /** `client:{account}/{client}`, `token:{token}/{n}` or the socket's own address. */
  readonly address: string
  /** UTF-8 of the address that its messages are from. */
  readonly from: Uint8Array
  /** Whose idempotency keys are one set: the client, else the token, else the socket. */
  readonly principal: string
  /** Undefined: it may send what and as fast as it likes. */
  readonly terms: Terms | undefined
}

/** Of sockets whose messages nobody has to know again. */
export const UNMARKED = Symbol('unmarked')

export interface Socket {
  /** Without its `socket:`. */
  readonly id: string
  /** By which its messages are known, as long as they are kept: the socket may go before them. */
  readonly mark: symbol
  readonly lane: Lane
  /** Of its medium. */
  readonly tally: Tally
  /** One at least; the first is the one that sends where nothing else decides. */
  readonly actors: readonly Actor[]
  /** Slugs of the accounts in which it has proved an identity. */
  readonly accounts: ReadonlySet<string>
  /** `client:{account}/{client}` that it acts as first, if any, in slugs. */
  readonly client: string | undefined
  /**
   * Addresses that it is reached by beside its own, each with the same in slugs: of its clients and
   * of its tokens' connections.
   */
  readonly names: ReadonlyMap<string, string>
  /** By route. */
  readonly memberships: ReadonlyMap<number, Membership>
  /** Where an envelope without destinations goes: the place that it entered by (R27). */
  readonly target: Target | undefined

  /**
   * Says whether it will hear what it sends to a channel: it is given that, and looks itself.
   * Undefined: it is given what the room's echo says.
   */
  readonly topics?: { hearItself(place: string, channel: string): boolean } | undefined
  /** Takes frames `from` to `to` (exclusive) of a batch of its lane. Never waits. */
  deliver(batch: Batch, from: number, to: number): void
  /**
   * Takes a message that is for this socket, its client or its group; `structure`: of the group's
   * room.
   */
  direct(body: EnvelopeBody, stamp: Stamp, structure?: Structure): void
}

export type Target =
  | { readonly kind: 'room'; readonly membership: Membership; readonly channel: string }
  /** An account's lobby, which echoes (R9). */
  | { readonly kind: 'lobby'; readonly address: string }
