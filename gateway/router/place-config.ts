/** What the router needs to know of a room's config; the rooms read it from its blocks. */
import type { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { RateLimit } from '../protocol/rate-limit.ts'
import type { GroupTerms } from './groups.ts'
import type { Structure } from './structure.ts'

export interface PlaceConfig {
  /** Kinds of its blocks, in their order. */
  readonly blocks: readonly string[]
  readonly echo: boolean
  readonly slowConsumers: Policy
  readonly limits: PlaceLimits
  /** Filters of the channels that it has; empty: any. */
  readonly channels: readonly string[]
  /** Nothing is sent to the room itself. */
  readonly channelsOnly: boolean
  /** What its messages have to be; undefined: anything. */
  readonly structure: Structure | undefined
  /** Where what says nothing of it goes; undefined: where the socket entered (R27). */
  readonly defaultTarget: DefaultTarget | undefined
  readonly groups: readonly GroupTerms[]
  /** How long messages may wait while the loop is busy; undefined: to the end of the turn. */
  readonly flushWindowMs: number | undefined
}

/** Undefined: no such bound. */
export interface PlaceLimits {
  readonly sockets: number | undefined
  /** Content of one message. */
  readonly payloadBytes: number | undefined
  /** Messages a second that one socket, and all of them, may send. */
  readonly socketRate: Rate | undefined
  readonly roomRate: Rate | undefined
}

export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

export type DefaultTarget =
  | { readonly kind: 'channel'; readonly channel: string }
  /** Its name. */
  | { readonly kind: 'group'; readonly group: string }

/** What one socket may send there. */
export function rateOf({ limits }: PlaceConfig): RateLimit | undefined {
  return limits.socketRate && new RateLimit(limits.socketRate)
}
