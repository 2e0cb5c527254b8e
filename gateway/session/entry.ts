/**
 * Entering a place: its locks first, then the place. The lock stack says what is to be done
 * (locks/stack.ts); here it is done, and what comes of it goes back into the stack.
 */
import { Code } from '@porthouse/proto/v1/code'
import { Outcome } from '@porthouse/proto/v1/lock_step'
import type { Proved } from '../locks/acceptor.ts'
import { type LockEffect, type LockInput, reduceLocks } from '../locks/stack.ts'
import { formatAddress, type RoomAddress } from '../protocol/address.ts'
import { Refusal } from '../protocol/codes.ts'
import type { Room } from '../rooms/rooms.ts'
import type { Membership } from '../router/place.ts'
import { StoreError, type TokenRecord } from '../store/store.ts'
import { admit, type EntryRequest } from './membership.ts'
import type { Session } from './session.ts'

/** What guards a room that does not exist, so that a stranger cannot tell it from one that does. */
const UNKNOWN_ROOM_LOCKS = ['token']

/**
 * Goes for a room; answered by Joined, a Challenge or a Drop, now or when its effects are through.
 */
export function enter(session: Session, request: EntryRequest): void {
  const { account, room } = request.filter
  const opened = session.core.rooms.open(account, room)
  if (!(opened instanceof Promise)) return arrive(session, request, opened)
  session.wait(
    opened.then(
      (loaded) => arrive(session, request, loaded),
      (error) => refuseEntry(session, request, storeRefusal(error)),
    ),
  )
}

function arrive(session: Session, request: EntryRequest, room: Room | undefined): void {
  const locks = missingLocks(session, request.filter, room)
  if (session.closed || locks.length > 0) {
    if (room) session.core.rooms.release(room)
    if (session.closed) return
    session.waiting.push(request)
    return stepLocks(session, {
      type: 'guard',
      place: placeOf(request),
      locks: locks.map((acceptor) => ({ id: session.core.newId(), acceptor })),
      tries: session.core.options.limbo.tries,
      deadline: session.core.uptime() + session.core.options.limbo.deadlineMs,
    })
  }
  try {
    const member = admitTo(session, room, request)
    const channel = request.filter.channel ?? ''
    session.target ??= { membership: member, channel: channel.includes('*') ? '' : channel }
    joined(session, request, member)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    refuseEntry(session, request, error)
  }
}

/** Locks of the room that nothing the socket has proved resolves. */
function missingLocks(
  session: Session,
  { account }: RoomAddress,
  room: Room | undefined,
): string[] {
  const { acceptors } = session.core
  const locks = room?.config.locks ?? UNKNOWN_ROOM_LOCKS
  const name = room?.record.account.slug ?? account
  return locks.filter((lock) => !acceptors.get(lock)?.finished(session, name))
}

function admitTo(session: Session, room: Room | undefined, request: EntryRequest): Membership {
  if (!room) throw new Refusal(Code.ROOM_UNKNOWN, 'no such room')
  try {
    return admit(session, room, request)
  } catch (error) {
    session.core.rooms.release(room)
    throw error
  }
}

function joined(session: Session, request: EntryRequest, { place, ...member }: Membership): void {
  const { channel } = request.filter
  const value = {
    route: place.route,
    address: channel === undefined ? place.address : `${place.address}/${channel}`,
    epoch: BigInt(place.epoch),
    sequence: BigInt(place.sequence),
    maySend: member.maySend,
    listening: member.filters.size > 0,
  }
  session.send(request.frameId, { case: 'room', value: { action: { case: 'joined', value } } })
}

function refuseEntry(session: Session, { frameId }: EntryRequest, { code, detail }: Refusal): void {
  if (!session.closed) session.refuse(frameId, code, detail)
}

function storeRefusal(error: unknown): Refusal {
  if (error instanceof StoreError) return new Refusal(Code.UNAVAILABLE, 'the store is away')
  throw error
}

/**
 * Enters a room that an envelope is addressed to, to send only and without a word: the envelope's
 * receipt tells. Resolves with the refusal, if any.
 */
export async function enterToSend(
  session: Session,
  filter: RoomAddress,
): Promise<Refusal | undefined> {
  const request: EntryRequest = { frameId: 0, filter, listen: 'no' }
  try {
    const room = await session.core.rooms.open(filter.account, filter.room)
    if (session.closed || missingLocks(session, filter, room).length > 0) {
      if (room) session.core.rooms.release(room)
      return new Refusal(Code.UNAUTHENTICATED, 'nothing proved that this room asks for')
    }
    admitTo(session, room, request)
    return undefined
  } catch (error) {
    return error instanceof Refusal ? error : storeRefusal(error)
  }
}

/** Gives up on entering a room, or one of its channels, that is still locked. */
export function abandon(session: Session, filter: RoomAddress): void {
  const place = placeOf({ filter })
  const { channel } = filter
  session.waiting = session.waiting.filter((request) => {
    if (placeOf(request) !== place) return true
    return channel !== undefined && request.filter.channel !== channel
  })
  const wanted = session.waiting.some((request) => placeOf(request) === place)
  if (!wanted) stepLocks(session, { type: 'abandon', place })
}

/** Of a place that a lock guards; the main lobby belongs to none. */
function accountOf(place: string | undefined): string | undefined {
  return place?.slice('room:'.length).split('/')[0]
}

/** A room's channels share its locks. */
function placeOf({ filter: { account, room } }: Pick<EntryRequest, 'filter'>): string {
  return formatAddress({ kind: 'room', account, room })
}

export function stepLocks(session: Session, input: LockInput): void {
  const [stack, effects] = reduceLocks(session.stack, input)
  session.stack = stack
  for (const effect of effects) if (!session.closed) apply(session, effect)
}

function apply(session: Session, effect: LockEffect): void {
  switch (effect.type) {
    case 'challenge':
      return challenge(session, effect)
    case 'verify':
      return verify(session, effect)
    case 'verdict':
      return verdict(session, effect)
    case 'unlocked':
      for (const request of takeWaiting(session, effect.place)) enter(session, request)
      return
    case 'lockedOut':
      return lockedOut(session, effect)
    case 'refuse':
      return session.refuse(takeAnswering(session), effect.code, effect.detail)
  }
}

type Effect<T extends LockEffect['type']> = Extract<LockEffect, { type: T }>

function challenge(session: Session, { lock, depth }: Effect<'challenge'>): void {
  const asked = session.waiting.findLast((request) => placeOf(request) === lock.place)
  const value = {
    acceptor: lock.acceptor,
    place: lock.place ?? '',
    depth,
    triesLeft: lock.triesLeft,
    deadlineMs: Math.max(0, Math.round(lock.deadline - session.core.uptime())),
  }
  session.send(asked?.frameId ?? 0, {
    case: 'lockStep',
    value: { lock: `lock:${lock.id}`, step: { case: 'challenge', value } },
  })
}

function verify(session: Session, { lock, response }: Effect<'verify'>): void {
  const acceptor = session.core.acceptors.get(lock.acceptor)
  if (!acceptor) throw new Error(`no acceptor ${lock.acceptor}`)
  const verified = acceptor.verify(response, accountOf(lock.place)).catch((error): Proved => {
    session.core.log.warn({ socket: session.id, err: error }, 'an answer could not be verified')
    return { verification: { outcome: 'failed', code: Code.UNAVAILABLE } }
  })
  session.wait(
    verified.then(({ verification, token }) => {
      // The lock may have been dropped meanwhile, and then the answer was refused.
      const waits = session.stack.locks.some(({ id }) => id === lock.id)
      if (session.closed || !waits) return
      if (token) adopt(session, token)
      const resolves = resolvedLocks(session)
      stepLocks(session, { type: 'verified', lock: lock.id, verification, resolves })
    }),
  )
}

/** Ids of locks on the stack that what the socket has proved opens. */
function resolvedLocks({ core, stack, tokens }: Session): string[] {
  return stack.locks
    .filter(({ acceptor, place }) => {
      const account = accountOf(place)
      return account !== undefined && core.acceptors.get(acceptor)?.finished({ tokens }, account)
    })
    .map(({ id }) => id)
}

/** The socket now is who the token says. */
function adopt(session: Session, token: TokenRecord): void {
  const known = session.tokens.findIndex(({ id }) => id === token.id)
  session.tokens.splice(known === -1 ? session.tokens.length : known, 1, token)
  session.accounts.add(token.account.slug)
  session.unlocked = true
  if (session.principal === session.address) session.principal = `token:${token.id}`
  if (!token.client || session.client) return
  const { account, client } = token
  session.client = `client:${account.slug}/${client.slug}`
  session.clientNames = [account.slug, account.id].flatMap((owner) =>
    [client.slug, client.id].map((name) => `client:${owner}/${name}`),
  )
  session.principal = session.client
  session.from = Buffer.from(session.client)
  session.core.router.graph.addClient(session)
}

const OUTCOMES = {
  passed: Outcome.PASSED,
  failed: Outcome.FAILED,
  dropped: Outcome.DROPPED,
} as const

function verdict(session: Session, { lock, outcome, code, values }: Effect<'verdict'>): void {
  const value = {
    outcome: OUTCOMES[outcome],
    code,
    values: { ...values },
    triesLeft: outcome === 'failed' ? lock.triesLeft : 0,
  }
  session.send(takeAnswering(session), {
    case: 'lockStep',
    value: { lock: `lock:${lock.id}`, step: { case: 'verdict', value } },
  })
}

/** An answer's id is used once (PH-5.5); what becomes of its lock later is a push. */
function takeAnswering(session: Session): number {
  const { answering } = session
  session.answering = 0
  return answering
}

/** A socket that is in somewhere stays there; one in limbo, or come for that place alone, goes. */
function lockedOut(session: Session, { place, code }: Effect<'lockedOut'>): void {
  const refused = place === undefined ? [] : takeWaiting(session, place)
  if (place === undefined || !session.unlocked) return session.drop(code, 'locked out')
  for (const { frameId } of refused) session.refuse(frameId, code, 'locked out')
}

function takeWaiting(session: Session, place: string): EntryRequest[] {
  const taken = session.waiting.filter((request) => placeOf(request) === place)
  session.waiting = session.waiting.filter((request) => placeOf(request) !== place)
  return taken
}
