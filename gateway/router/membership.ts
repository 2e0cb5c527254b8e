/** One socket in one room, and in whose names it may send there. */
import { matchesChannel } from '../protocol/channel.ts'
import type { RateLimit } from '../protocol/rate-limit.ts'
import type { Audience } from './audience.ts'
import type { Batch } from './batch.ts'
import type { Place } from './place.ts'
import type { Actor, Socket } from './socket.ts'

/** In whose name a socket may send to a room, and to which of its channels. */
export interface Sender {
  readonly actor: Actor
  /** The actor's. */
  readonly from: Uint8Array
  /** Filters; empty: the room and all its channels. */
  readonly channels: readonly string[]
  readonly right: Right
  /** Whose right it is: the token's id, the actor's principal, or the line of the room's config. */
  readonly holder: string
}

/**
 * What lets somebody send: a grant of a token or of a client, that the account's key was proved,
 * that the room is open, or what its config says of visitors.
 */
export type Right = 'token' | 'client' | 'owner' | 'open' | 'visitor'

/** A right in words, as TrailStep.decided_by has them; `room`: `{account}/{room}`. */
export function grantOf({ right, holder }: Pick<Sender, 'right' | 'holder'>, room: string): string {
  switch (right) {
    case 'token':
      return `grant token:${holder} room:${room}`
    case 'client':
      return `grant ${holder} room:${room}`
    case 'owner':
      return `key account:${room.slice(0, room.indexOf('/'))}`
    case 'open':
    case 'visitor':
      return holder
  }
}

export function maySend({ channels }: Sender, channel: string): boolean {
  return channels.length === 0 || channels.some((each) => matchesChannel(each, channel))
}

export function freeOf([first]: readonly Sender[]): Sender | undefined {
  return first && first.channels.length === 0 && !first.actor.terms ? first : undefined
}

/** Whether what he sends comes back to him. */
export function hearsItself({ place, socket }: Membership, channel: string): boolean {
  return socket.topics?.hearItself(place.name, channel) ?? place.config.echo
}

/** One socket in one room: what it may do there, resolved when it joined (R26). */
export interface Membership {
  readonly socket: Socket
  readonly place: Place
  /** By what members know him: `client:…`, `token:…/n` or `socket:…`; `` before that is settled. */
  name: string
  /**
   * The first of `senders`, where neither channels nor terms confine him: all that most messages
   * need to know.
   */
  free: Sender | undefined
  /** The preferred one first; empty: it may not send. */
  senders: readonly Sender[]
  /** Filters within which it may listen; empty: it may not. */
  hears: readonly string[]
  /** It may let in those who knock. */
  mayAdmit: boolean
  /** Channel filters it listens by; `` for the room and all its channels. */
  readonly filters: Set<string>
  audience: Audience | undefined
  /** Position among the audience's members. */
  index: number
  /** Of what it may send. */
  rate: RateLimit | undefined
  /** The batch that waits and holds messages of its own, which it shall not hear. */
  spoke: Batch | undefined
}

/** Of one who may do nothing there yet. */
export function newMembership(socket: Socket, place: Place, name = ''): Membership {
  return {
    socket,
    audience: undefined,
    spoke: undefined,
    rate: undefined,
    place,
    name,
    free: undefined,
    senders: [],
    hears: [],
    mayAdmit: false,
    index: 0,
    filters: new Set(),
  }
}
