/** Cursor from a client: how far it has read in a room, told to its other sockets there (R36). */
import { Code } from '@porthouse/proto/v1/code'
import type { Cursor } from '@porthouse/proto/v1/room'
import { parsePlace } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Membership } from '../../router/membership.ts'
import type { Place } from '../../router/place.ts'
import { theMemberIn } from '../entry/member-in.ts'
import type { Key } from '../live/holders.ts'
import { refusalOf } from '../refusal.ts'
import type { Session } from '../session.ts'
import { holderOf, positionIn } from './backlog.ts'
import type { Holder } from './cursor-book.ts'

/** Of one socket, that the store has not answered for. */
const WAITING_MAX = 256

/** Answers, once it is stored, with where the cursor is. Throws Refusal. */
export function moveCursor(session: Session, frameId: number, asked: Cursor): void {
  const member = memberAt(session, asked.address)
  const { config, record } = session.core.rooms.at(member.place)
  if (!config.unread) throw new Refusal(Code.NO_HISTORY, 'the room keeps no cursors')
  const sequence = positionIn(member.place, asked.position ?? { epoch: 0n, sequence: 0n })
  const holder = { epoch: member.place.epoch, holder: holderOf(session) }
  if (session.cursors >= WAITING_MAX) {
    throw new Refusal(Code.QUEUE_FULL, `over ${WAITING_MAX} cursors wait for the store`)
  }
  session.cursors++
  moved(session, record.id, holder, sequence)
    .then((furthest) => tell(session, frameId, member.place, holder, furthest))
    .catch((error: unknown) => refuse(session, frameId, error))
    .finally(() => session.cursors--)
}

function tell(
  session: Session,
  frameId: number,
  place: Place,
  { epoch, holder }: Holder,
  sequence: number,
): void {
  const position = { epoch: BigInt(epoch), sequence: BigInt(sequence) }
  const action = { case: 'cursor' as const, value: { address: place.address, position } }
  const told = { case: 'room' as const, value: { action } }
  if (frameId !== 0) session.send(frameId, told)
  for (const other of othersOf(session, holder, place)) other.send(0, told)
}

function memberAt(session: Session, address: string): Membership {
  const target = parsePlace(address)
  if (target.kind !== 'room' || target.channel !== undefined) {
    throw new Refusal(Code.ADDRESS_INVALID, 'not the address of a room')
  }
  return theMemberIn(session, target)
}

async function moved(
  { core: { cursors } }: Session,
  roomId: string,
  holder: Holder,
  sequence: number,
): Promise<number> {
  const now = await cursors.known(roomId, holder)
  if (sequence < now) throw new Refusal(Code.CURSOR_BEHIND, `it has read up to ${now}`)
  return sequence === now ? now : cursors.move(roomId, holder, sequence)
}

/** The holder's other sockets in the room. */
function othersOf(session: Session, holder: string, { route }: Place): Session[] {
  const { holders } = session.core
  const keys: Key[] = [`client:${holder}`, `token:${holder}`]
  const all = new Set(keys.flatMap((key) => [...holders.of(key)]))
  return [...all].filter((each) => {
    return each !== session && each.memberships.has(route) && holderOf(each) === holder
  })
}

/** A push has nobody to tell. */
function refuse(session: Session, frameId: number, error: unknown): void {
  if (frameId === 0 || session.closed) return
  const { code, detail } = refusalOf(session, error, 'a cursor was not moved')
  session.refuse(frameId, code, detail)
}
