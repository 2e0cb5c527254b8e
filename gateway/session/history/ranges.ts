/** Which positions a Fetch asks for. */
import { Code } from '@porthouse/proto/v1/code'
import type { Fetch } from '@porthouse/proto/v1/room'
import { Refusal } from '../../protocol/codes.ts'
import type { Room } from '../../rooms/rooms.ts'
import { positionIn } from './backlog.ts'

/** What is after `after` and before `before`. */
export interface Range {
  readonly after: number
  readonly before: number
  /** Which end the page begins at. */
  readonly from: 'start' | 'end'
  readonly limit: number
}

const LIMIT = 100
const LIMIT_MAX = 1_000

/** In the order in which their messages come. Throws Refusal. */
export function rangesOf({ history, place }: Room, { range, limit: asked }: Fetch): Range[] {
  if (history.kind === 'none') throw new Refusal(Code.NO_HISTORY, 'the room keeps nothing')
  const limit = Math.min(asked || LIMIT, LIMIT_MAX)
  // What is stored but not heard yet is not there yet.
  const end = place.sequence + 1
  const position = (told: { epoch: bigint; sequence: bigint }) => positionIn(place, told)
  const kept = (last: number) => {
    if (last >= history.first) return
    throw new Refusal(Code.RETENTION, `the first position kept is ${history.first}`)
  }
  switch (range.case) {
    case 'after':
      return [{ after: position(range.value), before: end, from: 'start', limit }]
    case 'before': {
      const before = position(range.value) || end
      if (before < end) kept(before)
      return [{ after: 0, before, from: 'end', limit }]
    }
    case 'around': {
      const at = position(range.value)
      kept(at)
      const half = Math.ceil(limit / 2)
      const later = { after: at, before: end, from: 'start' as const, limit: limit - half }
      const earlier = { after: 0, before: at + 1, from: 'end' as const, limit: half }
      return later.limit > 0 ? [earlier, later] : [earlier]
    }
    case 'between': {
      const { epoch, fromSequence, toSequence } = range.value
      const after = Math.max(0, position({ epoch, sequence: fromSequence }) - 1)
      const last = Math.min(Number(toSequence), place.sequence)
      if (Number(toSequence) < Number(fromSequence)) {
        throw new Refusal(Code.MALFORMED_PACKET, 'the range ends before it begins')
      }
      kept(last)
      return [{ after, before: last + 1, from: 'start', limit }]
    }
    default:
      return [{ after: 0, before: end, from: 'end', limit }]
  }
}
