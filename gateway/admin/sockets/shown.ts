/** A live socket as a resource: what of it is within a scope, and never a secret (R8, R12). */
import { create } from '@bufbuild/protobuf'
import { durationFromMs, timestampFromDate, timestampFromMs } from '@bufbuild/protobuf/wkt'
import {
  LockPhase,
  type Socket,
  type SocketIdentity,
  SocketIdentitySchema,
  type SocketLock,
  SocketLockSchema,
  type SocketOutbox,
  SocketOutboxSchema,
  type SocketRoom,
  SocketRoomSchema,
  SocketSchema,
  Transport,
} from '@porthouse/proto/admin/v1/socket_service'
import type { Lock } from '../../locks/lock.ts'
import type { Proof } from '../../locks/proof.ts'
import type { Medium } from '../../observe/counts.ts'
import { accountIn } from '../../protocol/address.ts'
import type { Membership } from '../../router/membership.ts'
import { allowanceOf } from '../../session/commands/allowance.ts'
import { heardAs } from '../../session/identity/known-as.ts'
import type { Session } from '../../session/session.ts'
import { roomName, socketName } from '../live-names.ts'
import type { Scope } from '../scope.ts'

const TRANSPORTS: Readonly<Record<Medium, Transport>> = {
  websocket: Transport.WEBSOCKET,
  'websocket-json': Transport.WEBSOCKET,
  teleprinter: Transport.WEBSOCKET,
  mqtt: Transport.MQTT,
  http: Transport.HTTP,
  none: Transport.UNSPECIFIED,
}

export function shownSocket(session: Session, { covers }: Scope): Socket {
  const { core, lane, handshake, memberships, proofs, stack, lobbies } = session
  const at = (uptime: number) => timestampFromMs(core.clock() - (core.uptime() - uptime))
  const isWithin = (place: string | undefined) => place === undefined || covers(accountIn(place))
  const rooms = [...memberships.values()].filter(({ place }) => isWithin(place.address))
  return create(SocketSchema, {
    name: socketName(session),
    createTime: at(session.openedAt),
    heardTime: at(session.heardAt),
    transport: TRANSPORTS[lane.medium],
    subprotocol: lane.name,
    remote: handshake.remote,
    identities: proofs
      .filter(({ account, place }) => (account ? covers(account.id) : isWithin(place)))
      .map((proof) => identity(session, proof)),
    rooms: rooms.map(shownRoom),
    locks: stack.locks.flatMap((lock, i) => (isWithin(lock.place) ? shownLock(lock, i, at) : [])),
    lobbies: [...lobbies].filter(covers).map((account) => `accounts/${account}`),
    outbox: outbox(session),
  })
}

function identity(session: Session, proof: Proof): SocketIdentity {
  const { account, client, token, owner = false, acceptor, expiresAt } = proof
  const name = account && `accounts/${account.slug}`
  return create(SocketIdentitySchema, {
    ...(name && { account: name }),
    ...(client && { client: `${name}/clients/${client.slug}` }),
    ...(token && { token: `${name}/tokens/${token.id}` }),
    ...(token && { connection: session.core.shares.numberOf(token.id, session) }),
    owner,
    acceptor,
    ...(expiresAt && { expireTime: timestampFromDate(expiresAt) }),
  })
}

function shownRoom(member: Membership): SocketRoom {
  const { place, filters } = member
  const { maySend, mayAdmit } = allowanceOf(member)
  return create(SocketRoomSchema, {
    room: roomName(place.name),
    maySend,
    mayAdmit,
    filters: [...filters],
    groups: place.groups.namesOf(member),
    senders: heardAs(member),
  })
}

const PHASES: Readonly<Record<Lock['phase'], LockPhase>> = {
  set: LockPhase.SET,
  asked: LockPhase.ASKED,
  beginning: LockPhase.JUDGING,
  judging: LockPhase.JUDGING,
  needing: LockPhase.NEEDING,
}

function shownLock(
  { id, choice, place = '', phase, triesLeft, since, deadline }: Lock,
  index: number,
  at: (uptime: number) => ReturnType<typeof timestampFromMs>,
): SocketLock {
  return create(SocketLockSchema, {
    address: `lock:${id}`,
    acceptor: choice.acceptor,
    place,
    depth: index + 1,
    phase: PHASES[phase],
    triesLeft,
    since: at(since),
    deadline: at(deadline),
  })
}

function outbox({ wire, outbox: { backlog }, core }: Session): SocketOutbox {
  const connectionBytes = BigInt(wire.buffered)
  if (!backlog) return create(SocketOutboxSchema, { connectionBytes })
  return create(SocketOutboxSchema, {
    connectionBytes,
    queuedBytes: BigInt(Math.max(0, backlog.bytes - wire.buffered)),
    queuedMessages: BigInt(backlog.frames),
    stalled: durationFromMs(core.uptime() - backlog.since),
  })
}
