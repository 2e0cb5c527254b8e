/**
 * Entering a place, a room or an account's lobby: its locks first, then the place. Who is wished in
 * where waits here for the locks (locks.ts) to resolve.
 */
import { Code } from '@porthouse/proto/v1/code'
import { EventKind } from '@porthouse/proto/v1/event'
import { formatAddress, type LobbyAddress, type RoomAddress } from '../../protocol/address.ts'
import { ROOM_ALONE } from '../../protocol/channel.ts'
import { Refusal } from '../../protocol/codes.ts'
import { RateLimit } from '../../protocol/rate-limit.ts'
import type { Beginning } from '../../rooms/history/room-history.ts'
import type { Room } from '../../rooms/rooms.ts'
import type { Place } from '../../router/place.ts'
import { StoreError } from '../../store/store.ts'
import { beginningOf, hadBefore, type Past } from '../history/backlog.ts'
import { accountOf, forgetFormer, owns } from '../identity/identity.ts'
import { leftOf, locksFor, stepLocks } from '../locks/locks.ts'
import type { Session } from '../session.ts'
import { listen } from './listening.ts'
import { admit, leave, regained } from './membership.ts'
import { type EntryRequest, takeWaiting, type WaitingEntry } from './waiting.ts'

/**
 * Goes for a place; answered by Joined, a Challenge or a Drop, now or when its effects are through.
 */
export function enter(session: Session, request: EntryRequest): void {
  const { target } = request
  if (target.kind === 'lobby') return arriveInLobby(session, request, target)
  if (!mayLoad(session, target)) {
    const detail = `over ${LOADS.perSecond} rooms a second that nobody is in`
    return refuseEntry(session, request, new Refusal(Code.RATE_LIMITED, detail))
  }
  try {
    const opened = session.core.rooms.open(target.account, target.room)
    if (!(opened instanceof Promise)) return arrive(session, request, target, opened)
    session.wait(
      opened.then(
        (room) => arrive(session, request, target, room),
        (error) => refuseEntry(session, request, loadFailure(session, request, error)),
      ),
    )
  } catch (error) {
    refuseEntry(session, request, loadFailure(session, request, error))
  }
}

/** Rooms that the store has to be asked for; at once, as many as a socket may be in. */
const LOADS = { perSecond: 32, burst: 64 }

function mayLoad(session: Session, { account, room }: RoomAddress): boolean {
  const { router, options, uptime } = session.core
  if (router.graph.place(`${account}/${room}`)) return true
  const burst = Math.max(LOADS.burst, options.limits.rooms)
  session.loads ??= new RateLimit({ ...LOADS, burst })
  return session.loads.take(uptime())
}

function arrive(
  session: Session,
  request: EntryRequest,
  target: RoomAddress,
  room: Room | undefined,
): void {
  const place = room?.place.address ?? roomAddress(target)
  const flow = room ? room.config.flow : session.core.strangersFlow
  if (room) forgetFormer(session, room)
  const left = flow && leftOf(session, flow, place)
  if (session.closed || left) {
    if (room) session.core.rooms.release(room)
    const set = { place, ...(room && { room: room.record.id }) }
    if (session.closed || !left) return
    if (request.meetsLocks ?? true) return guard(session, { ...request, ...set }, left)
    const code = session.unlocked ? Code.ENTRY_NOT_PERMITTED : Code.UNAUTHENTICATED
    return refuseEntry(session, request, new Refusal(code, 'the room is locked', `lock ${place}`))
  }
  if (!room) return refuseEntry(session, request, new Refusal(Code.ROOM_UNKNOWN, 'no such room'))
  try {
    checkClient(session, request)
    const stayed = session.memberships.has(room.place.route)
    const beginning = request.past && beginningOf(session, room, request.past, target.channel ?? '')
    if (beginning instanceof Promise) {
      session.core.rooms.release(room)
      return findBeginning(session, request, beginning)
    }
    const { member, added } = admit(session, room, target, request)
    if (request.waited && !stayed) moved(session, place)
    if (request.done) {
      for (const each of added) room.place.listen(member, each)
      return request.done(undefined)
    }
    const channel = target.channel ?? ''
    session.target ??= {
      kind: 'room',
      membership: member,
      channel: channel.includes('*') || channel === ROOM_ALONE ? '' : channel,
    }
    if (request.presence) session.core.presence.watch(member)
    if (request.replayed) room.sessionHistory?.own(member)
    const had = hadBefore(room, request.past)
    const { frameId, lastValues, past } = request
    const resumes = past?.kind === 'after' && past.resumes === true
    const repeats =
      past !== undefined && request.byTopic === undefined && session.topics !== undefined
    const asked = { frameId, channel, beginning, had, lastValues, resumes, repeats }
    listen(session, room, { member, added, ...asked })
  } catch (error) {
    session.core.rooms.release(room)
    if (!(error instanceof Refusal)) throw error
    refuseEntry(session, request, error)
  }
}

/** Asks the store where the past begins that it wants, and then goes in. */
function findBeginning(
  session: Session,
  request: EntryRequest,
  beginning: Promise<Beginning>,
): void {
  session.wait(
    beginning.then(
      (found) => enter(session, { ...request, past: begins(request, found) }),
      (error) => refuseEntry(session, request, loadFailure(session, request, error)),
    ),
  )
}

/** Who has read up to his cursor has had that; of the last so many he may have had nothing. */
function begins({ past }: EntryRequest, beginning: Beginning): Past {
  return { kind: 'begins', beginning, had: past?.kind === 'unread' ? beginning.after : 0 }
}

/**
 * Enters a room that the socket was given a right in while it was connected, and tells it so,
 * unless there is a lock that it did not ask to meet (R51). Rejects where the room cannot be
 * loaded.
 */
export async function enterAdded(session: Session, target: RoomAddress): Promise<void> {
  const { rooms } = session.core
  const opened = rooms.open(target.account, target.room)
  const room = opened instanceof Promise ? await opened : opened
  if (!room) return
  const { config, place } = room
  forgetFormer(session, room)
  const locked = config.flow && leftOf(session, config.flow, place.address)
  // Who is in already has been told what he may do there.
  const isIn = session.memberships.has(place.route)
  if (session.closed || locked || isIn || !wants(session, place)) return rooms.release(room)
  try {
    const { member, added } = admit(session, room, target, { listen: 'ifPermitted' })
    for (const each of regained(session, member)) place.listen(member, each)
    listen(session, room, { frameId: 0, member, added, channel: '', beginning: undefined, had: 0 })
  } catch (error) {
    rooms.release(room)
    if (!(error instanceof Refusal)) throw error
  }
}

/** Whether a right is reason enough to be in; by topics one is in where one has subscribed. */
function wants({ topics }: Session, { name }: Place): boolean {
  return topics === undefined || [...topics.wantedIn(name)].length > 0
}

/**
 * Places that a socket may go for and find locked: each costs the store, those inside, or others.
 */
const DOORS = { perSecond: 4, burst: 64 }

function guard(
  session: Session,
  request: WaitingEntry,
  left: Parameters<typeof locksFor>[1],
): void {
  const { place } = request
  session.doors ??= new RateLimit(DOORS)
  if (!session.doors.take(session.core.uptime())) {
    const detail = `over ${DOORS.perSecond} locked places a second`
    return refuseEntry(session, request, new Refusal(Code.RATE_LIMITED, detail))
  }
  session.waiting = [...session.waiting, request]
  // An envelope that waits at locks which wait already asks for nothing.
  if (request.done && session.stack.locks.some((lock) => lock.place === place)) return
  stepLocks(session, { type: 'guard', place, locks: locksFor(session, left) })
}

/** Nobody learns here whether the account exists: its lock is the same for one that does not. */
function arriveInLobby(session: Session, request: EntryRequest, target: LobbyAddress): void {
  const { lobbyFlow, lobbies } = session.core
  const place = formatAddress(target)
  const left = leftOf(session, lobbyFlow, place)
  if (left) return guard(session, { ...request, place }, left)
  const account = accountOf(session, target.account)
  if (!account) {
    const refusal = new Refusal(Code.ENTRY_NOT_PERMITTED, 'no identity in this account')
    return refuseEntry(session, request, refusal)
  }
  const address = `lobby:${account.slug}`
  const { technical, knocks } = session.core
  if (!session.lobbies.has(account.slug)) {
    technical.at(session, { kind: EventKind.JOINED, place: address })
    if (request.waited) moved(session, address)
  }
  lobbies.enter(session, account)
  if (owns(session, account.id)) knocks.arrived(session)
  session.target ??= { kind: 'lobby', address }
  const value = { route: 0, address, maySend: true, listening: true }
  session.send(request.frameId, { case: 'room', value: { action: { case: 'joined', value } } })
}

/** Throws Refusal where the URL names a client that the socket has not proved to be. */
function checkClient({ proofs }: Session, { client: named }: EntryRequest): void {
  if (named === undefined || proofs.some(({ client }) => client?.id === named)) return
  throw new Refusal(Code.ENTRY_NOT_PERMITTED, 'the socket is not that client')
}

function refuseEntry(session: Session, request: EntryRequest, refusal: Refusal): void {
  if (session.closed) return
  if (request.done) return request.done(refusal)
  session.refuse(request.frameId, refusal.code, refusal.detail)
}

function loadFailure({ core, id }: Session, { target }: EntryRequest, error: unknown): Refusal {
  if (error instanceof StoreError && error.failure !== 'unreadable') {
    return new Refusal(Code.UNAVAILABLE, 'the store is away')
  }
  const room = target.kind === 'room' ? `${target.account}/${target.room}` : undefined
  core.log.error({ socket: id, room, err: error }, 'a room cannot be loaded')
  return new Refusal(Code.INTERNAL, 'the room cannot be loaded')
}

/** The locks of a place are resolved: those who wait for it go in. */
export function unlocked(session: Session, place: string): void {
  for (const request of takeWaiting(session, place)) {
    if (!session.closed) enter(session, { ...request, waited: true })
  }
}

/** A lock's end took the socket in. */
function moved(session: Session, place: string): void {
  session.core.technical.at(session, { kind: EventKind.MOVED, place })
}

/** Leaves a room, a channel of it or a lobby, and gives up on entering it where it is locked. */
export function leavePlace(session: Session, target: RoomAddress | LobbyAddress): void {
  abandon(session, target)
  if (target.kind === 'room') return leave(session, target)
  const { core } = session
  const account = accountOf(session, target.account)
  if (!account) return
  const place = `lobby:${account.slug}`
  if (session.lobbies.has(account.slug)) {
    core.technical.at(session, { kind: EventKind.LEFT, place })
  }
  for (const name of [account.slug, account.id]) core.lobbies.leave(session, name)
  if (session.target?.kind === 'lobby') session.target = undefined
}

function abandon(session: Session, target: RoomAddress | LobbyAddress): void {
  const channel = target.kind === 'room' ? target.channel : undefined
  const given = session.waiting.filter((request) => {
    if (request.done || whole(request.target) !== whole(target)) return false
    return channel === undefined || channelOf(request) === channel
  })
  session.waiting = session.waiting.filter((request) => !given.includes(request))
  for (const place of new Set(given.map((request) => request.place))) {
    const wanted = session.waiting.some((request) => request.place === place)
    if (!wanted) stepLocks(session, { type: 'abandon', place })
  }
}

function channelOf({ target }: EntryRequest): string | undefined {
  return target.kind === 'room' ? target.channel : undefined
}

/** The address of the room or lobby itself. */
function whole(target: RoomAddress | LobbyAddress): string {
  return target.kind === 'room' ? roomAddress(target) : formatAddress(target)
}

function roomAddress({ account, room }: RoomAddress): string {
  return formatAddress({ kind: 'room', account, room })
}
