/** Where one envelope may go, and in whose name, as the router's steps hand it on. */
import type { Code } from '@porthouse/proto/v1/code'
import type { Refusal } from '../protocol/codes.ts'
import type { RateLimit } from '../protocol/rate-limit.ts'
import type { Group } from './groups.ts'
import type { Membership, Sender } from './membership.ts'
import type { Actor } from './socket.ts'

export type Destination =
  | RoomDestination
  | GroupDestination
  | DirectDestination
  | RefusedDestination

/** One that it may go to. */
export type Sendable = Exclude<Destination, RefusedDestination>

/** A room that the sender is in, or one of its channels. */
export interface RoomDestination {
  readonly kind: 'room'
  /** As the sender wrote it; `` where he wrote none. */
  readonly name: string
  readonly membership: Membership
  /** Undefined where none of those that the socket is may send there. */
  readonly sender: Sender | undefined
  /** `` for the room itself. */
  readonly channel: string
}

/**
 * A socket, all sockets that are a client or a token's connection, whoever is at a lock (R16), or,
 * in an account's lobby, the sender itself.
 */
export interface DirectDestination {
  readonly kind: 'socket' | 'name' | 'lock' | 'echo'
  /** The address, which is the stamp's target as well. */
  readonly name: string
  /** `socket`, `lock`: its id. `name`: its address, in slugs where it has sockets. */
  readonly key: string
  readonly actor: Actor
  /** Of what a socket says from a lock to those inside. */
  readonly rate?: RateLimit
}

/** A group of a room that the sender is in and may send to. */
export interface GroupDestination {
  readonly kind: 'group'
  /** As the sender wrote it, else its key. */
  readonly name: string
  /** Its address in slugs. */
  readonly key: string
  readonly actor: Actor
  readonly membership: Membership
  readonly sender: Sender
  readonly group: Group
}

export interface RefusedDestination {
  readonly kind: 'refused'
  readonly name: string
  readonly code: Code
  readonly detail: string
  /** See Refusal. */
  readonly decidedBy: string
}

export function refused(
  name: string,
  code: Code,
  detail: string,
  decidedBy = '',
): RefusedDestination {
  return { kind: 'refused', name, code, detail, decidedBy }
}

/** As a destination named so refuses, for a reason found out elsewhere. */
export function refusedFor(name: string, { code, detail, decidedBy }: Refusal): RefusedDestination {
  return { kind: 'refused', name, code, detail, decidedBy }
}
