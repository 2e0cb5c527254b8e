/** Cursor from a client: how far it has read in a room, told to its other sockets there (R36). */
import { Code } from '@porthouse/proto/v1/code'
import type { Cursor, Position } from '@porthouse/proto/v1/room'
import { parsePlace } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Room } from '../../rooms/rooms.ts'
import type { Membership } from '../../router/membership.ts'
import type { Place } from '../../router/place.ts'
import type { Core } from '../core.ts'
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
  moved(session.core, record.id, holder, sequence)
    .then((furthest) => {
      const told = cursorAt(member.place, holder, furthest)
      if (frameId !== 0) session.send(frameId, told)
      for (const other of socketsOf(session.core, holder, member.place)) {
        if (other !== session) other.send(0, told)
      }
    })
    .catch((error: unknown) => refuse(session, frameId, error))
    .finally(() => session.cursors--)
}

/**
 * Moves the cursor of anybody in a loaded room, and tells his sockets there. Resolves with how far
 * it is; `validateOnly`: would be. Rejects with Refusal, or StoreError.
 */
export async function setCursor(
  core: Core,
  { config, record, place }: Room,
  holder: string,
  asked: Position,
  validateOnly: boolean,
): Promise<number> {
  if (!config.unread) throw new Refusal(Code.NO_HISTORY, 'the room keeps no cursors')
  const sequence = positionIn(place, asked)
  const whose = { epoch: place.epoch, holder }
  if (validateOnly) {
    await notBehind(core, record.id, whose, sequence)
    return sequence
  }
  const furthest = await moved(core, record.id, whose, sequence)
  const told = cursorAt(place, whose, furthest)
  for (const socket of socketsOf(core, whose, place)) socket.send(0, told)
  return furthest
}

function cursorAt({ address }: Place, { epoch }: Holder, sequence: number) {
  const position = { epoch: BigInt(epoch), sequence: BigInt(sequence) }
  const action = { case: 'cursor' as const, value: { address, position } }
  return { case: 'room' as const, value: { action } }
}

function memberAt(session: Session, address: string): Membership {
  const target = parsePlace(address)
  if (target.kind !== 'room' || target.channel !== undefined) {
    throw new Refusal(Code.ADDRESS_INVALID, 'not the address of a room')
  }
  return theMemberIn(session, target)
}

async function moved(
  core: Core,
  roomId: string,
  holder: Holder,
  sequence: number,
): Promise<number> {
  const now = await notBehind(core, roomId, holder, sequence)
  return sequence === now ? now : core.cursors.move(roomId, holder, sequence)
}

/** Resolves with where it is now. Rejects with Refusal CURSOR_BEHIND. */
async function notBehind(
  { cursors }: Core,
  roomId: string,
  holder: Holder,
  sequence: number,
): Promise<number> {
  const now = await cursors.known(roomId, holder)
  if (sequence < now) throw new Refusal(Code.CURSOR_BEHIND, `it has read up to ${now}`)
  return now
}

/** The holder's sockets in the room. */
function socketsOf({ holders }: Core, { holder }: Holder, { route }: Place): Session[] {
  const keys: Key[] = [`client:${holder}`, `token:${holder}`]
  const all = new Set(keys.flatMap((key) => [...holders.of(key)]))
  return [...all].filter((each) => each.memberships.has(route) && holderOf(each) === holder)
}

/** A push has nobody to tell. */
function refuse(session: Session, frameId: number, error: unknown): void {
  if (frameId === 0 || session.closed) return
  const { code, detail } = refusalOf(session, error, 'a cursor was not moved')
  session.refuse(frameId, code, detail)
}
