/** Where one envelope may go, as the router's steps hand it on. */
import type { Code } from '@porthouse/proto/v1/code'
import type { Membership } from './place.ts'

export type Destination = RoomDestination | DirectDestination | RefusedDestination

/** A room that the sender is in, or one of its channels. */
export interface RoomDestination {
  readonly kind: 'room'
  /** As the sender wrote it; `` where he wrote none. */
  readonly name: string
  readonly membership: Membership
  /** `` for the room itself. */
  readonly channel: string
}

/** A socket or all sockets of a client. */
export interface DirectDestination {
  readonly kind: 'socket' | 'client'
  /** The address, which is the stamp's target as well. */
  readonly name: string
  /** `socket`: its id. `client`: its address, in slugs where it has sockets. */
  readonly key: string
}

export interface RefusedDestination {
  readonly kind: 'refused'
  readonly name: string
  readonly code: Code
  readonly detail: string
}

export function refused(name: string, code: Code, detail: string): RefusedDestination {
  return { kind: 'refused', name, code, detail }
}
