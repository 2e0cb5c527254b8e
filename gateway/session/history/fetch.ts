/**
 * Fetch: a page of a room's history, for who is in it, of what he may hear (R36). A socket's
 * questions are answered one after the other, each when it has taken the answer before, so that one
 * who asks and does not read keeps no pages in memory.
 */
import { Code } from '@porthouse/proto/v1/code'
import { Replay } from '@porthouse/proto/v1/envelope'
import type { Fetch } from '@porthouse/proto/v1/room'
import { parsePlace } from '../../protocol/address.ts'
import { coveredBy, coversFilter } from '../../protocol/channel.ts'
import { Refusal } from '../../protocol/codes.ts'
import { isExpired } from '../../rooms/history/page.ts'
import type { RoomHistory } from '../../rooms/history/room-history.ts'
import type { Room } from '../../rooms/rooms.ts'
import type { OwnMessage } from '../../router/intake.ts'
import type { Membership } from '../../router/membership.ts'
import { theMemberIn } from '../entry/member-in.ts'
import { refusalOf } from '../refusal.ts'
import type { Session } from '../session.ts'
import { LOOKS_MAX, takePage } from './looks.ts'
import { type Range, rangesOf } from './ranges.ts'

/** Pages that wait for the socket to take those before them. */
const WAITING_MAX = 128

const BYTES_MAX = 262_144

/** One question, as it was found to be permitted. */
interface Question {
  readonly session: Session
  readonly asked: Fetch
  readonly member: Membership
  readonly room: Room
  /** Of the time when it was asked; a room may keep another one later. */
  readonly history: RoomHistory
  readonly filters: readonly string[]
  readonly ranges: readonly Range[]
}

/** Answers with envelopes and Fetched, in its time. Throws Refusal. */
export function fetchHistory(session: Session, frameId: number, asked: Fetch): void {
  if (frameId === 0) throw new Refusal(Code.FRAME_NOT_ALLOWED, 'a question without an id')
  const question = questionOf(session, asked)
  inTurn(session, () => answerIn(question, frameId))
}

/** The same page for whoever has no socket. Rejects with Refusal, or StoreError. */
export async function readHistory(session: Session, asked: Fetch): Promise<PastPage> {
  return pageOf(questionOf(session, asked))
}

/** Throws Refusal. */
function questionOf(session: Session, asked: Fetch): Question {
  takePage(session)
  const target = parsePlace(asked.address)
  if (target.kind !== 'room') throw new Refusal(Code.ADDRESS_INVALID, 'not the address of a room')
  const member = theMemberIn(session, target)
  const room = session.core.rooms.at(member.place)
  const { history } = room
  const filters = heardOf(member, target.channel ?? '')
  return { session, asked, member, room, history, filters, ranges: rangesOf(room, asked) }
}

async function answerIn(question: Question, frameId: number): Promise<void> {
  const { session } = question
  try {
    const page = await pageOf(question)
    if (!session.closed) answer(question, frameId, page)
  } catch (error) {
    const { code, detail } = refusalOf(session, error, 'a history cannot be read')
    session.refuse(frameId, code, detail)
  }
}

/** What was read, of what is not expired. */
export interface PastPage {
  readonly room: Room
  readonly messages: readonly OwnMessage[]
  /** All that may be heard from the first to the last of these positions is in it. */
  readonly first: number
  readonly last: number
}

async function pageOf(question: Question): Promise<PastPage> {
  const { session, room, history, ranges, filters } = question
  const found: Found[] = []
  for (const range of ranges) {
    found.push(await lookThrough(history, range, filters, BYTES_MAX / ranges.length))
  }
  stillMay(question)
  const now = session.core.clock()
  const messages = found
    .flatMap((each) => each.messages)
    .filter(({ message, body }) => !isExpired(message, body, now))
  const first = Math.min(...found.map((each) => each.first))
  return { room, messages, first, last: Math.max(...found.map(({ last }) => last)) }
}

/** Runs one question after the other, each as soon as the socket can take its answer. */
function inTurn(session: Session, ask: () => Promise<void>): void {
  const { fetching, outbox } = session
  if (fetching.length >= WAITING_MAX) {
    throw new Refusal(Code.QUEUE_FULL, `over ${WAITING_MAX} pages wait`)
  }
  const next = () => {
    fetching.shift()
    if (fetching[0] && !session.closed) outbox.whenReady(fetching[0])
  }
  fetching.push(() => void ask().finally(next))
  if (fetching.length === 1) outbox.whenReady(fetching[0] as () => void)
}

/** What of a filter he may hear. Throws Refusal where that is nothing. */
function heardOf({ hears }: Membership, asked: string): string[] {
  if (coveredBy(hears, asked)) return [asked]
  const narrower = hears.filter((each) => coversFilter(asked, each))
  if (narrower.length > 0) return narrower
  const code = hears.length > 0 ? Code.CHANNEL_NOT_PERMITTED : Code.RECEIVE_NOT_PERMITTED
  throw new Refusal(code, 'no right to hear that')
}

/** What was read of one range. */
interface Found {
  readonly messages: readonly OwnMessage[]
  /** All that may be heard from the first to the last of these positions is in it. */
  readonly first: number
  readonly last: number
}

/** Reads on where of many positions none is heard, up to a bound. Rejects with StoreError. */
async function lookThrough(
  history: RoomHistory,
  range: Range,
  filters: readonly string[],
  bytes: number,
): Promise<Found> {
  let [{ after, before }, looks] = [range, 0]
  const { from } = range
  for (;;) {
    const { messages, through, more } = await history.page({
      ...range,
      after,
      before,
      bytes,
      filters,
    })
    if (from === 'start') after = through
    else before = through
    if (messages.length === 0 && more && ++looks < LOOKS_MAX) continue
    return from === 'start'
      ? { messages, first: range.after + 1, last: through }
      : { messages, first: through, last: range.before - 1 }
  }
}

/** He may have left meanwhile, or may not hear it any more. */
function stillMay({ session, member, room, history, filters }: Question): void {
  const isIn = session.memberships.get(member.place.route) === member
  if (!isIn || !filters.every((filter) => coveredBy(member.hears, filter))) {
    throw new Refusal(Code.ENTRY_NOT_PERMITTED, 'no right to hear that any more')
  }
  if (room.history === history) return
  throw new Refusal(Code.EPOCH_CHANGED, `the room's epoch is ${member.place.epoch}`)
}

function answer(
  { session, asked: { address } }: Question,
  frameId: number,
  { room, messages, first, last }: PastPage,
): void {
  const { history, place, config } = room
  for (const { message, body } of messages) {
    const stamp = { ...message, replay: Replay.HISTORY }
    session.outbox.envelope(body, stamp, frameId, config.structure)
  }
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
