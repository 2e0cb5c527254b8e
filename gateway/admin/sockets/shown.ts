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
  // Assigned one by one, for it is asked for often: `create` takes twice as long.
  const shown = create(SocketSchema)
  shown.name = socketName(session)
  shown.createTime = at(session.openedAt)
  shown.heardTime = at(session.heardAt)
  shown.transport = TRANSPORTS[lane.medium]
  shown.subprotocol = lane.name
  shown.remote = handshake.remote
  shown.identities = proofs
    .filter(({ account, place }) => (account ? covers(account.id) : isWithin(place)))
    .map((proof) => identity(session, proof))
  shown.rooms = rooms.map(shownRoom)
  shown.locks = stack.locks.flatMap((lock, i) =>
    isWithin(lock.place) ? shownLock(lock, i, at) : [],
  )
  shown.lobbies = [...lobbies].filter(covers).map((account) => `accounts/${account}`)
  shown.outbox = outbox(session)
  return shown
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
  const shown = create(SocketRoomSchema)
  shown.room = roomName(place.name)
  shown.maySend = maySend
  shown.mayAdmit = mayAdmit
  shown.filters = [...filters]
  shown.groups = place.groups.namesOf(member)
  shown.senders = heardAs(member)
  return shown
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
