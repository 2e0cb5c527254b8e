/** Fetch: a page of a room's history, for who is in it, of what he may hear (R36). */
import { Code } from '@porthouse/proto/v1/code'
import { Replay } from '@porthouse/proto/v1/envelope'
import type { Fetch } from '@porthouse/proto/v1/room'
import { parsePlace } from '../../protocol/address.ts'
import { coversFilter } from '../../protocol/channel.ts'
import { Refusal } from '../../protocol/codes.ts'
import { RateLimit } from '../../protocol/rate-limit.ts'
import type { Page } from '../../rooms/history/page.ts'
import type { Room } from '../../rooms/rooms.ts'
import type { Membership } from '../../router/place.ts'
import type { PageRange } from '../../store/history.ts'
import { StoreError } from '../../store/store.ts'
import type { Session } from '../session.ts'
import { toldOf } from './backlog.ts'

/** Pages that one socket may ask for. */
const PAGES = { perSecond: 50, burst: 100 }

const LIMIT = 100
const LIMIT_MAX = 1_000
const BYTES_MAX = 262_144

type Range = Pick<PageRange, 'after' | 'before' | 'from' | 'limit'>

/** Answers with envelopes and Fetched, in its time. Throws Refusal. */
export function fetchHistory(session: Session, frameId: number, asked: Fetch): void {
  if (frameId === 0) throw new Refusal(Code.FRAME_NOT_ALLOWED, 'a question without an id')
  session.fetches ??= new RateLimit(PAGES)
  if (!session.fetches.take(session.core.uptime())) {
    throw new Refusal(Code.RATE_LIMITED, `over ${PAGES.perSecond} pages a second`)
  }
  const target = parsePlace(asked.address)
  if (target.kind !== 'room') throw new Refusal(Code.ADDRESS_INVALID, 'not the address of a room')
  const { graph } = session.core.router
  const place = graph.place(`${target.account}/${target.room}`)
  const member = place && session.memberships.get(place.route)
  if (!member) throw new Refusal(Code.ENTRY_NOT_PERMITTED, 'the socket is not in this room')
  const room = session.core.rooms.at(member.place)
  const filters = heardOf(member, target.channel ?? '')
  const ranges = rangesOf(room, asked)
  const pages = ranges.map((range) =>
    room.history.page({ ...range, bytes: BYTES_MAX / ranges.length, filters }),
  )
  Promise.all(pages).then(
    (read) => session.outbox.whenReady(() => answer(session, frameId, asked.address, room, read)),
    (error) => fail(session, frameId, error),
  )
}

/** What of a filter he may hear. Throws Refusal where that is nothing. */
function heardOf({ hears }: Membership, asked: string): string[] {
  if (hears.some((each) => coversFilter(each, asked))) return [asked]
  const narrower = hears.filter((each) => coversFilter(asked, each))
  if (narrower.length > 0) return narrower
  const code = hears.length > 0 ? Code.CHANNEL_NOT_PERMITTED : Code.RECEIVE_NOT_PERMITTED
  throw new Refusal(code, 'no right to hear that')
}

/** In the order in which their messages come. Throws Refusal. */
function rangesOf({ history, place }: Room, { range, limit: asked }: Fetch): Range[] {
  if (history.kind === 'none') throw new Refusal(Code.NO_HISTORY, 'the room keeps nothing')
  if (asked > LIMIT_MAX) {
    throw new Refusal(Code.MALFORMED_PACKET, `over ${LIMIT_MAX} messages in one page`)
  }
  const limit = asked || LIMIT
  // What is stored but not heard yet is not there yet.
  const end = place.sequence + 1
  const position = (told: { epoch: bigint; sequence: bigint }) => {
    const { epoch, sequence } = toldOf(told)
    if (epoch !== 0 && epoch !== place.epoch) {
      throw new Refusal(Code.EPOCH_CHANGED, `the room's epoch is ${place.epoch}`)
    }
    if (sequence >= end) {
      throw new Refusal(Code.POSITION_UNKNOWN, `the last position is ${place.sequence}`)
    }
    return sequence
  }
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
      return [{ before, from: 'end', limit }]
    }
    case 'around': {
      const at = position(range.value)
      kept(at)
      const half = Math.ceil(limit / 2)
      const later = { after: at, before: end, from: 'start' as const, limit: limit - half }
      const earlier = { before: at + 1, from: 'end' as const, limit: half }
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
      return [{ before: end, from: 'end', limit }]
  }
}

function answer(
  session: Session,
  frameId: number,
  address: string,
  { history, place, config }: Room,
  pages: readonly Page[],
): void {
  if (session.closed) return
  const messages = pages.flatMap((page) => page.messages)
  for (const { message, body } of messages) {
    const stamp = { ...message, replay: Replay.HISTORY }
    session.outbox.envelope(body, stamp, frameId, config.structure)
  }
  const first = messages[0]?.message.sequence ?? place.sequence + 1
  const last = messages.at(-1)?.message.sequence ?? place.sequence
  const value = {
    address,
    epoch: BigInt(place.epoch),
    count: messages.length,
    moreBefore: first > history.first,
    moreAfter: last < place.sequence,
    firstSequence: BigInt(Math.min(history.first, place.sequence + 1)),
    lastSequence: BigInt(place.sequence),
  }
  session.send(frameId, { case: 'room', value: { action: { case: 'fetched', value } } })
}

function fail(session: Session, frameId: number, error: unknown): void {
  const away = error instanceof StoreError
  if (!away) session.core.log.error({ socket: session.id, err: error }, 'a history cannot be read')
  const code = away ? Code.UNAVAILABLE : Code.INTERNAL
  session.refuse(frameId, code, 'the history cannot be read now')
}
