import type { Backlog } from './join.ts'

/** A place in a room's one order; a Message is one too. */
export interface Position {
  /** Positions of different epochs have nothing to do with each other. Absent: the room's own. */
  readonly epoch?: bigint
  readonly sequence: bigint
}

/**
 * What of a room's history comes before what is live: all after a position, all that there is, all
 * after the client's own cursor, or the last so many, at most 10,000.
 */
export type Since = Position | bigint | number | 'start' | 'unread' | { readonly last: number }

/** Throws a RangeError for what is no position. */
export function backlogOf(since: Since): Backlog {
  if (since === 'unread') return { case: 'unread', value: true }
  if (since === 'start') return { case: 'after', value: { sequence: 0n } }
  if (typeof since === 'object' && 'last' in since) return { case: 'last', value: since.last }
  return { case: 'after', value: positionOf(since) }
}

/** Throws a RangeError for what is none. */
export function positionOf(given: Position | bigint | number): { epoch: bigint; sequence: bigint } {
  const { epoch = 0n, sequence } = typeof given === 'object' ? given : { sequence: BigInt(given) }
  if (sequence < 0n || sequence >= 2n ** 64n) throw new RangeError(`${sequence} is no position`)
  return { epoch, sequence }
}
