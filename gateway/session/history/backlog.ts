/** What of a room's past a Join asks for, and what it gets (R36, R43). */
import { Code } from '@porthouse/proto/v1/code'
import type { Join } from '@porthouse/proto/v1/room'
import { Refusal } from '../../protocol/codes.ts'
import type { Beginning, RoomHistory, Told } from '../../rooms/history/room-history.ts'
import type { Room } from '../../rooms/rooms.ts'
import type { Place } from '../../router/place.ts'
import type { Session } from '../session.ts'
import { LOOKS_MAX, takePage } from './looks.ts'

export type Past =
  /** `resumes`: so do all of the room that the session hears, each with what is after its own. */
  | { readonly kind: 'after'; readonly position: Told; readonly resumes?: boolean }
  | { readonly kind: 'unread' }
  | { readonly kind: 'last'; readonly count: number }
  /** Known already. */
  | { readonly kind: 'begins'; readonly beginning: Beginning; readonly had: number }

const LAST_MAX = 10_000
const LAST_BYTES_MAX = 4_194_304

/** Throws Refusal. */
export function pastOf({ backlog, sendOnly }: Join): Past | undefined {
  if (backlog.case === undefined || (backlog.case === 'unread' && !backlog.value)) return undefined
  if (sendOnly) throw new Refusal(Code.MALFORMED_PACKET, 'a backlog for one who does not listen')
  switch (backlog.case) {
    case 'after':
      return { kind: 'after', position: toldOf(backlog.value) }
    case 'unread':
      return { kind: 'unread' }
    case 'last':
      // Joined says where it begins.
      return { kind: 'last', count: Math.min(backlog.value, LAST_MAX) }
  }
}

/** Beyond 2^53 it is beyond every last one. */
export function toldOf({ epoch, sequence }: { epoch: bigint; sequence: bigint }): Told {
  return { epoch: Number(epoch), sequence: Number(sequence) }
}

/** A position as the room has it now. Throws Refusal for one that it does not have. */
export function positionIn(place: Place, told: { epoch: bigint; sequence: bigint }): number {
  const { epoch, sequence } = toldOf(told)
  if (epoch !== 0 && epoch !== place.epoch) {
    throw new Refusal(Code.EPOCH_CHANGED, `the room's epoch is ${place.epoch}`)
  }
  if (sequence > place.sequence) {
    throw new Refusal(Code.POSITION_UNKNOWN, `the last position is ${place.sequence}`)
  }
  return sequence
}

/**
 * Where it begins: at once where nobody has to be asked. Throws Refusal, or rejects as the store.
 */
export function beginningOf(
  session: Session,
  { history, place, config, record }: Room,
  past: Past,
  channel: string,
): Beginning | Promise<Beginning> {
  switch (past.kind) {
    case 'begins':
      return past.beginning
    case 'after':
      return history.since(past.position)
    case 'unread': {
      if (!config.unread) return { after: place.sequence, code: Code.NO_HISTORY }
      takePage(session)
      const holder = { epoch: place.epoch, holder: holderOf(session) }
      const cursor = session.core.cursors.find(record.id, holder)
      return cursor.then((sequence) => history.since({ epoch: 0, sequence }))
    }
    case 'last':
      if (history.kind === 'none') return { after: place.sequence, code: Code.NO_HISTORY }
      if (past.count === 0) return { after: place.sequence, code: Code.UNSPECIFIED }
      takePage(session)
      return beforeLast(history, past.count, channel)
  }
}

/** Position before the last so many that a filter hears. Rejects as the store. */
async function beforeLast(history: RoomHistory, count: number, filter: string): Promise<Beginning> {
  let before = history.place.sequence + 1
  let first = before
  let [left, bytes] = [count, LAST_BYTES_MAX]
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const page = await history.page({ before, from: 'end', limit: left, bytes, filters: [filter] })
    first = page.messages[0]?.message.sequence ?? first
    left -= page.messages.length
    for (const { body } of page.messages) bytes -= body.end - body.start
    if (!page.more || left <= 0 || bytes <= 0) break
    before = page.through
  }
  return { after: first - 1, code: Code.UNSPECIFIED }
}

/** The last position up to which somebody who asks for this has had everything. */
export function hadBefore({ place }: Room, past: Past | undefined): number {
  if (past?.kind === 'begins') return past.had
  if (past?.kind !== 'after') return 0
  const { epoch, sequence } = past.position
  return epoch === 0 || epoch === place.epoch ? sequence : 0
}

/** Whose cursors it moves: its client's, else its token's. Throws Refusal where it is neither. */
export function holderOf({ proofs }: Session): string {
  const client = proofs.find((proof) => proof.client)?.client
  const token = proofs.find((proof) => proof.token)?.token
  const holder = client?.id ?? token?.id
  if (holder === undefined) {
    throw new Refusal(Code.UNAUTHENTICATED, 'who is nobody has no cursor')
  }
  return holder
}
