/**
 * What would become of a message that somebody were to send now (R49), told by the very functions
 * that let sockets in and route messages, among those who are connected now. Nobody notices: its
 * sender is made up, rooms that nobody is in are read and not loaded, and nothing is sent.
 */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import { locksIn } from '../locks/flow.ts'
import type { Proof } from '../locks/proof.ts'
import { parseAddress } from '../protocol/address.ts'
import { Refusal } from '../protocol/codes.ts'
import { type ScannedEnvelope, scanEnvelope } from '../protocol/scan-envelope.ts'
import { type FlowReader, readConfig } from '../rooms/config.ts'
import type { Places } from '../router/graph.ts'
import { freeOf, newMembership } from '../router/membership.ts'
import type { Outcome } from '../router/outcome.ts'
import { Place } from '../router/place.ts'
import { rateOf } from '../router/place-config.ts'
import type { Trail } from '../router/trail.ts'
import type { RoomRecord, Rooms as StoredRooms } from '../store/store.ts'
import type { Core } from './core.ts'
import { checkVacancy, filtersFor, type RoomFacts, rightsIn } from './entry/membership.ts'
import { adopt } from './identity/identity.ts'
import { leftOf } from './locks/locks.ts'
import type { Session } from './session.ts'
import { socketlessSession } from './socketless.ts'

export interface RehearsalParts {
  readonly core: Core
  /** A core of its own where nobody is, for who sends it. */
  readonly alone: Core
  readonly stored: Pick<StoredRooms, 'find'>
  readonly flows: FlowReader
}

export interface Rehearsed {
  readonly outcome: Outcome
  readonly trail: Trail
}

type EnvelopeInit = MessageInitShape<typeof EnvelopeSchema>

/**
 * `sender`: what somebody has proved who is nowhere yet, or a socket that is connected. Rejects
 * with Refusal where it would not get to the router, and with StoreError.
 */
export async function rehearse(
  parts: RehearsalParts,
  sender: readonly Proof[] | Session,
  message: EnvelopeInit,
): Promise<Rehearsed> {
  const { core } = parts
  const envelope = scanned(message, core)
  const names = [...new Set(envelope.to)].filter((name) => name.startsWith('room:'))
  const rooms = new Map<string, RoomFacts & { readonly members: number }>()
  for (const [i, name] of names.entries()) {
    const room = await roomAt(parts, name, -1 - i)
    if (room) rooms.set(name, room)
  }
  // From here on nothing is waited for, so that all of it is of one moment.
  const session = Array.isArray(sender) ? madeUp(parts, sender) : copied(parts, sender as Session)
  const barred = new Map<string, Refusal>()
  const entered = names.filter((name) => !isIn(session, rooms.get(name)))
  for (const name of entered) {
    const refusal = entering(session, rooms.get(name))
    if (refusal) barred.set(name, refusal)
  }
  if (!session.unlocked) {
    const [refusal] = barred.values()
    throw refusal ?? new Refusal(Code.UNAUTHENTICATED, 'nothing is unlocked yet')
  }
  const micros = () => core.uptime() * 1000
  const ahead = { barred, entered, waitedMs: 0 }
  return core.router.rehearse(session, envelope, ahead, micros, places(core, rooms.values()))
}

function scanned(message: EnvelopeInit, { options: { limits } }: Core): ScannedEnvelope {
  const bytes = Buffer.from(toBinary(EnvelopeSchema, create(EnvelopeSchema, message)))
  return scanEnvelope(bytes, 0, bytes.length, limits)
}

/** Somebody new, who is nowhere. */
function madeUp({ alone }: RehearsalParts, proofs: readonly Proof[]): Session {
  const session = socketlessSession(alone)
  for (const proof of proofs) {
    const refusal = adopt(session, proof)
    if (refusal) throw refusal
  }
  return session
}

/** One who is where a socket is, and has proved what it has. */
function copied(parts: RehearsalParts, socket: Session): Session {
  const session = madeUp(parts, socket.proofs)
  for (const [route, member] of socket.memberships) session.memberships.set(route, member)
  session.target = socket.target
  if (socket.unlocked) session.unlock()
  return session
}

/** The one that is loaded, or what it would be; undefined where there is none. */
async function roomAt({ core, stored, flows }: RehearsalParts, name: string, route: number) {
  const address = addressIn(name)
  if (!address) return undefined
  const { account, room } = address
  const place = core.router.graph.place(`${account}/${room}`)
  if (place) return core.rooms.at(place)
  const record = await stored.find(account, room)
  return record && unloaded(record, flows, route, core)
}

function unloaded(record: RoomRecord, flows: FlowReader, route: number, { turn }: Core) {
  const config = readConfig(record.config, flows)
  const name = `${record.account.slug}/${record.slug}`
  const place = new Place(route, name, { epoch: 0, sequence: 0 }, config, turn)
  place.stores = config.history.keep === 'durable'
  return { record, config, place, members: 0 }
}

/** Undefined for one that is malformed, which the router refuses. */
function addressIn(name: string) {
  try {
    const address = parseAddress(name)
    return address.kind === 'room' ? address : undefined
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

function isIn({ memberships }: Session, room: RoomFacts | undefined): boolean {
  return room !== undefined && memberships.has(room.place.route)
}

/** Enters to send only, as an envelope does (R15); undefined where it gets in. */
function entering(session: Session, room: (RoomFacts & { members: number }) | undefined) {
  const flow = room ? room.config.flow : session.core.strangersFlow
  const left = flow && leftOf(session, flow, room?.place.address)
  if (left) {
    const locks = locksIn(left).map(({ acceptor }) => acceptor)
    const detail = `it would wait at a lock first: ${locks.join(' or ')}`
    const code = session.unlocked ? Code.ENTRY_NOT_PERMITTED : Code.UNAUTHENTICATED
    return new Refusal(code, detail, room?.place.line('access'))
  }
  if (!room) return new Refusal(Code.ROOM_UNKNOWN, 'no such room')
  try {
    checkVacancy(room)
    const rights = rightsIn(session, room)
    filtersFor(rights, room.place, '', 'no')
    const member = newMembership(session, room.place)
    member.senders = rights.senders
    member.free = freeOf(rights.senders)
    member.hears = rights.hears
    member.rate = rateOf(room.config)
    session.memberships.set(room.place.route, member)
    session.unlock()
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

/** Those that are live, and rooms that would be. */
function places(
  { router: { graph } }: Core,
  rooms: Iterable<RoomFacts & { readonly members: number }>,
): Places {
  const added = new Map<string, Place>()
  for (const { record, place } of rooms) {
    for (const account of [record.account.slug, record.account.id]) {
      for (const room of [record.slug, record.id]) added.set(`${account}/${room}`, place)
    }
  }
  return {
    place: (name) => added.get(name) ?? graph.place(name),
    socketsOf: (name) => graph.socketsOf(name),
    waitingAt: (lock) => graph.waitingAt(lock),
  }
}
