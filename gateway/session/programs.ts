/** What rooms' programs may have done with those who are in them (R25). */
import { create, type JsonObject } from '@bufbuild/protobuf'
import { FlowSchema } from '@porthouse/proto/room/v1/access'
import { Code } from '@porthouse/proto/v1/code'
import type { Flow } from '../locks/flow.ts'
import { readFlow } from '../locks/read-flow.ts'
import { parseFilter, type RoomAddress } from '../protocol/address.ts'
import { checkFilter } from '../protocol/channel.ts'
import { Refusal } from '../protocol/codes.ts'
import type { AskedLock, ProgramActions } from '../rooms/program.ts'
import type { Membership } from '../router/membership.ts'
import type { Core } from './core.ts'
import { joined } from './entry/listening.ts'
import { move } from './entry/move.ts'
import type { WaitingEntry } from './entry/waiting.ts'
import { expel, tellLeft } from './live/tell.ts'
import { leftOf, locksFor, stepLocks } from './locks/locks.ts'
import type { Session } from './session.ts'

/** `core`: read when something is to be done, since programs are made before it. */
export function programActions(core: () => Core): ProgramActions {
  const asked = new WeakMap<Membership, WaitingEntry[]>()
  return {
    expel: (member, code, detail) => expel(sessionOf(member), member, code, detail),
    subscribe: (member, filter) => subscribe(member, filter),
    unsubscribe(member, filter) {
      const session = sessionOf(member)
      member.place.unlisten(member, filter)
      session.changed()
      session.topics?.takeBack(member, filter)
      const address = `${member.place.address}/${filter}`
      tellLeft(session, address, Code.UNSPECIFIED, 'by the room')
    },
    move: moveTo,
    lock: (member, wanted) => lock(core(), member, wanted, asked),
    left: (member) => forgetLocks(member, asked),
    failed: (account, place, code, detail) => core().technical.failed(account, place, code, detail),
  }
}

function sessionOf({ socket }: Membership): Session {
  return socket as Session
}

/** He was let in by the account, so what of its room he hears is the account's to say. */
function subscribe(member: Membership, filter: string): void {
  checkFilter(filter)
  const session = sessionOf(member)
  const { subscriptions } = session.core.options.limits
  if (!member.filters.has(filter) && member.filters.size >= subscriptions) {
    throw new Refusal(Code.ROOM_LIMIT, `over ${subscriptions} subscriptions in one room`)
  }
  session.topics?.give(member, filter)
  member.place.listen(member, filter)
  session.changed()
  joined(session, 0, member, filter)
}

/**
 * He leaves the room once he is in the other. Rejects with Refusal where he does not get in, and
 * never settles where he goes before.
 */
function moveTo(member: Membership, name: string): Promise<void> {
  const [account] = member.place.name.split('/')
  return new Promise((resolve, reject) => {
    const target = parseFilter(`room:${account}/${name}`)
    const done = (refusal: Refusal | undefined) => (refusal ? reject(refusal) : resolve())
    move(sessionOf(member), { target, from: member, by: 'moved by the room' }, done).catch(reject)
  })
}

/** Throws Refusal for a lock that is none. */
function lock(
  { acceptors, options }: Core,
  member: Membership,
  asked: AskedLock,
  wishes: WeakMap<Membership, WaitingEntry[]>,
): Promise<void> {
  const session = sessionOf(member)
  const { address, name } = member.place
  const flow = flowOf(asked, () => {
    const { tries, deadlineMs } = options.limbo
    return readFlow(lockConfig(asked), acceptors, { tries, deadlineMs })
  })
  const left = leftOf(session, flow, address)
  if (!left) return Promise.resolve()
  const [account = '', room = ''] = name.split('/')
  const target: RoomAddress = { kind: 'room', account, room }
  return new Promise((resolve, reject) => {
    const done = (refusal: Refusal | undefined) => (refusal ? reject(refusal) : resolve())
    const { record } = session.core.rooms.at(member.place)
    const wish = { frameId: 0, target, listen: 'ifPermitted', done } as const
    const entry: WaitingEntry = { ...wish, place: address, room: record.id }
    wishes.set(member, [...(wishes.get(member) ?? []), entry])
    session.waiting = [...session.waiting, entry]
    stepLocks(session, { type: 'guard', place: address, locks: locksFor(session, left) })
  })
}

/** Or he would be in again when he opens one. */
function forgetLocks(member: Membership, wishes: WeakMap<Membership, WaitingEntry[]>): void {
  const session = sessionOf(member)
  const given = session.waiting.filter((entry) => wishes.get(member)?.includes(entry))
  if (given.length === 0 || session.closed) return
  session.waiting = session.waiting.filter((entry) => !given.includes(entry))
  const place = member.place.address
  if (!session.waiting.some((entry) => entry.place === place)) {
    stepLocks(session, { type: 'abandon', place })
  }
  for (const { done } of given) done?.(new Refusal(Code.TARGET_UNKNOWN, 'it has left the room'))
}

function lockConfig({ acceptor, options, deadlineMs = 0 }: AskedLock) {
  const value = { acceptor, options: options as JsonObject, deadlineMs }
  return create(FlowSchema, { kind: { case: 'lock', value } })
}

function flowOf({ acceptor }: AskedLock, read: () => Flow): Flow {
  try {
    return read()
  } catch (error) {
    const why = error instanceof Error ? error.message : 'its options'
    throw new Refusal(Code.PROGRAM_FAILED, `no lock ${acceptor}: ${why}`)
  }
}
