/** ListSockets and DropSocket: live sockets of one's own, and of an account by its owner (R8). */
import { create, toBinary } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import {
  type DropSocket,
  type ListSockets,
  type SocketInfo,
  SocketInfoSchema,
} from '@porthouse/proto/v1/command'
import { accountIn, formatAddress, parseAddress } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import { isUuid } from '../../protocol/name.ts'
import { owns } from '../identity/identity.ts'
import { heardAs, knownAs } from '../identity/known-as.ts'
import { isNear, isOwned } from '../identity/sight.ts'
import type { Session } from '../session.ts'
import { inOpenRoom } from '../walk.ts'
import { allowanceOf } from './allowance.ts'
import { type Page, pageOf } from './page.ts'
import { checkAfter, ownAccount, unknownTarget } from './permission.ts'

/** Throws Refusal. */
export async function listSockets(
  asker: Session,
  { of, after }: ListSockets,
): Promise<Page<SocketInfo>> {
  checkAfter(after)
  return pageOf(await socketsOf(asker, of), after, {
    address: (session) => session.address,
    read: (session) => infoOf(asker, session),
    bytes: (info) => toBinary(SocketInfoSchema, info).length,
  })
}

async function socketsOf(asker: Session, of: string): Promise<Iterable<Session>> {
  if (of === '') return ownSockets(asker)
  const { graph } = asker.core.router
  const token = of.startsWith('token:') ? of.slice('token:'.length).toLowerCase() : ''
  if (isUuid(token)) return connectionsOf(asker, token)
  const address = parseAddress(of)
  switch (address.kind) {
    case 'client': {
      const name = formatAddress(address)
      if (!asker.names.has(name)) ownAccount(asker, address.account)
      return graph.socketsOf(name) as Iterable<Session>
    }
    case 'token': {
      const connections = connectionsOf(asker, address.token)
      const { shares } = asker.core
      return connections.filter((each) => shares.numberOf(address.token, each) === address.n)
    }
    case 'room':
      return membersOf(asker, address.account, address.room)
    case 'lobby':
      return asker.core.accounts.sessionsOf(ownAccount(asker, address.account).id)
    default:
      throw new Refusal(Code.ADDRESS_INVALID, `a ${address.kind} has no sockets to list`)
  }
}

function ownSockets(asker: Session): Set<Session> {
  const { graph } = asker.core.router
  const all = [...asker.names.keys()].flatMap((name) => [...graph.socketsOf(name)])
  const tokens = asker.proofs.flatMap(({ token }) => (token ? [token.id] : []))
  const shared = tokens.flatMap((token) => asker.core.shares.connectionsOf(token))
  return new Set([asker, ...(all as Session[]), ...shared])
}

/** Of a token that nobody is connected by, nobody knows whose it is. */
function connectionsOf(asker: Session, token: string): Session[] {
  const connections = asker.core.shares.connectionsOf(token)
  const proof = connections[0]?.proofs.find((each) => each.token?.id === token)
  if (!proof?.account) throw unknownTarget()
  if (!holds(asker, token)) ownAccount(asker, proof.account.id)
  return connections
}

async function membersOf(asker: Session, account: string, name: string): Promise<Session[]> {
  ownAccount(asker, account)
  const members = await inOpenRoom(asker.core, { account, room: name }, ({ place }) =>
    [...place.members].map(({ socket }) => socket as Session),
  )
  if (!members) throw unknownTarget()
  return members.filter(({ unseen }) => !unseen)
}

/** What the asker may know of a socket: what it is and does in accounts that the asker is of. */
function infoOf(asker: Session, session: Session): SocketInfo {
  const { core, memberships, stack, openedAt } = session
  const self = session === asker
  const rooms = [...memberships.values()].filter(
    ({ place }) => self || mayKnow(asker, place.address),
  )
  const accounts = new Set(asker.proofs.flatMap(({ account }) => (account ? [account.id] : [])))
  const known = [...accounts].flatMap((account) => knownAs(session, account))
  const locks = stack.locks.filter(
    ({ place }) => self || place === undefined || mayKnow(asker, place),
  )
  return create(SocketInfoSchema, {
    socket: session.address,
    identities: [...new Set([...known, ...rooms.flatMap(heardAs)])],
    rooms: rooms.map(allowanceOf),
    openedMs: BigInt(core.clock() - (core.uptime() - openedAt)),
    locks: locks.map(({ choice }) => choice.acceptor),
    self,
  })
}

function mayKnow({ accounts }: Session, place: string): boolean {
  return accounts.has(accountIn(place))
}

/** Throws Refusal. */
export function dropSocket(asker: Session, { socket }: DropSocket): Session {
  const address = parseAddress(socket)
  if (address.kind !== 'socket') throw new Refusal(Code.ADDRESS_INVALID, 'not a socket')
  const session = asker.core.router.graph.socket(address.socket) as Session | undefined
  const mayKnow =
    session && (asker === session || isNear(session, (each) => asker.accounts.has(each)))
  if (!mayKnow) throw unknownTarget()
  if (isOwn(asker, session) || isOwned(session, (each) => owns(asker, each))) return session
  throw new Refusal(Code.COMMAND_NOT_PERMITTED, 'neither its own client nor its account')
}

function isOwn(asker: Session, session: Session): boolean {
  if (asker === session) return true
  return session.proofs.some(({ client, token }) => {
    const same = asker.proofs.some((each) => client && each.client?.id === client.id)
    return same || (token !== undefined && holds(asker, token.id))
  })
}

function holds({ proofs }: Session, token: string): boolean {
  return proofs.some((proof) => proof.token?.id === token)
}
