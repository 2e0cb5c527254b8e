/** Who a socket is: what it has proved, and whom it may act as because of it (R7, R8). */
import { Code } from '@porthouse/proto/v1/code'
import { clientAddress, isNamed, type Named, type Proof } from '../../locks/proof.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Room } from '../../rooms/rooms.ts'
import { keysOf } from '../live/holders.ts'
import { itself, NO_NAMES, type ProvedActor, type Session } from '../session.ts'
import { nameBytes } from './name-bytes.ts'

/** Proofs that one socket may hold. */
const PROOFS_MAX = 32

/** Of a proof that was read no one knows when. */
const LONG_AGO = -1

/**
 * The socket now has this proof too. Returns the refusal where the token or the client has as many
 * sockets as it may; the proof is then not taken. `told`: how many changes had been told when what
 * it rests on was read, which is read again where there were more since (R51).
 */
export function adopt(session: Session, proof: Proof, told = LONG_AGO): Refusal | undefined {
  const known = session.proofs.findIndex((other) => sameIdentity(other, proof))
  if (known < 0 && session.proofs.length >= PROOFS_MAX) {
    return new Refusal(Code.QUEUE_FULL, `over ${PROOFS_MAX} proofs`)
  }
  const refusal = claimOrReplace(session, proof)
  if (refusal) return refusal
  const { proofs: before } = session
  become(session, before.toSpliced(known < 0 ? before.length : known, 1, proof))
  session.core.technical.opened(session, proof, before)
  if (proof.account) session.unlock()
  const { holders } = session.core
  if (told !== holders.told) holders.review(keysOf(proof))
  return undefined
}

function claimOrReplace(session: Session, proof: Proof): Refusal | undefined {
  const refusal = claim(session, proof)
  if (!refusal || !session.makeRoom) return refusal
  session.makeRoom(proof)
  return claim(session, proof)
}

/** Takes the places that a token's and a client's own bounds leave it. */
function claim(session: Session, { token, account, client }: Proof): Refusal | undefined {
  const { shares, router } = session.core
  if (account && client?.maxSockets !== undefined) {
    const sockets = router.graph.socketsOf(clientAddress(account, client))
    if (!sockets.has(session) && sockets.size >= client.maxSockets) {
      if (client.maxSockets > 1) {
        return new Refusal(Code.SOCKET_LIMIT, `the client has ${client.maxSockets} sockets`)
      }
      // One alone: the newer takes over, as in MQTT.
      for (const older of [...sockets] as Session[]) {
        older.drop(Code.REPLACED, 'a newer socket of the client took over')
      }
    }
  }
  if (token && shares.take(token, session) === undefined) {
    return new Refusal(Code.SHARE_LIMIT, `the token has ${token.maxConnections} connections`)
  }
  return undefined
}

/**
 * Why a socket has to go since the bounds of what it has proved were lowered: of a client with one
 * socket all but the newest, of others those beyond the bound.
 */
export function excess(session: Session): Refusal | undefined {
  const { holders, shares } = session.core
  for (const { token, client } of session.proofs) {
    const connections = token?.maxConnections ?? Number.POSITIVE_INFINITY
    if (token && shares.numberOf(token.id, session) > connections) {
      return new Refusal(Code.SHARE_LIMIT, `the token may have ${connections} connections`)
    }
    if (client?.maxSockets === undefined) continue
    const sockets = [...holders.of(`client:${client.id}`)]
    if (client.maxSockets === 1 && sockets.at(-1) !== session) {
      return new Refusal(Code.REPLACED, 'the client may have one socket, and has a newer one')
    }
    if (client.maxSockets > 1 && sockets.indexOf(session) >= client.maxSockets) {
      return new Refusal(Code.SOCKET_LIMIT, `the client may have ${client.maxSockets} sockets`)
    }
  }
  return undefined
}

/** A later proof of the same takes the place of the earlier one. */
export function sameIdentity(a: Proof, b: Proof): boolean {
  return (
    a.acceptor === b.acceptor &&
    a.place === b.place &&
    a.account?.id === b.account?.id &&
    a.client?.id === b.client?.id &&
    a.token?.id === b.token?.id &&
    a.credential === b.credential &&
    // Without an identity, what tells two apart is the lock that each was shown to.
    (a.account !== undefined || a.lock?.key === b.lock?.key)
  )
}

/**
 * What was shown to a former room counts for nothing in one that was made under its name since; who
 * somebody is, stays.
 */
export function forgetFormer(session: Session, { place, record }: Room): void {
  const isFormer = ({ lock }: Proof) => lock?.place === place.address && lock.room !== record.id
  if (!session.proofs.some(isFormer)) return
  const left = session.proofs.flatMap((proof) => {
    if (!isFormer(proof)) return [proof]
    const { lock: _, ...rest } = proof
    return proof.place === undefined ? [rest] : []
  })
  become(session, left)
}

/** The socket is whom these proofs say, and nobody else any more. */
export function become(session: Session, proofs: readonly Proof[]): void {
  const { graph } = session.core.router
  session.core.holders.change(session, session.proofs, proofs)
  session.core.accounts.change(session, session.proofs, proofs)
  session.proofs = proofs
  const names = new Map<string, string>()
  const actors: ProvedActor[] = []
  session.client = undefined
  for (const proof of proofs) {
    const { account } = proof
    if (!account) continue
    const actor = actorFor(session, proof, account)
    actors.push(actor)
    if (proof.client) {
      session.client ??= actor.address
      for (const name of clientNames(account, proof.client)) names.set(name, actor.address)
      hearsOwn(session, actor.address)
    }
    const connection = proof.token && connectionOf(session, proof.token.id)
    if (connection) names.set(connection, connection)
  }
  graph.removeNames(session, session.names.keys())
  session.names = names.size > 0 ? names : NO_NAMES
  session.accounts = accountsOf(session)
  // A copy has no room to grow, which would be more than what is in it (G10).
  session.actors = actors.length > 0 ? actors.slice() : [itself(session.address)]
  graph.addNames(session, names.keys())
  session.changed()
}

/** By slug and UUID; one set for all who are in the same accounts, of whom there may be many. */
function accountsOf({ core, proofs }: Session): ReadonlySet<string> {
  const all = proofs.flatMap(({ account }) => account ?? [])
  const names = new Set(all.flatMap(({ slug, id }) => [slug, id]))
  const [other] = core.accounts.sessionsOf(all[0]?.id ?? '')
  const known = other?.accounts ?? names
  return known.size === names.size && [...names].every((each) => known.has(each)) ? known : names
}

/** What is sent to the client from now on comes live. */
function hearsOwn(session: Session, address: string): void {
  if (session.names.has(address)) return
  const { epoch, sequence } = session.core.own.find(address) ?? { epoch: 0, sequence: 0 }
  session.ownFrom ??= new Map()
  session.ownFrom.set(address, { epoch, sequence })
}

/** Whom a proof lets the socket act as; the account as a whole has no name but the socket's. */
function actorFor(session: Session, proof: Proof, account: Named): ProvedActor {
  const { token, client } = proof
  const rate = token && session.core.shares.rateOf(token)
  const terms =
    token && (token.method || rate) ? { token: token.id, method: token.method, rate } : undefined
  if (client) {
    const address = clientAddress(account, client)
    return { address, from: nameBytes(address), principal: address, terms, proof }
  }
  if (!token) return { ...itself(session.address), proof }
  const address = connectionOf(session, token.id)
  // One of many behind a token is named by its number; a token of one's own stays unnamed.
  const from = token.maxConnections === undefined ? session.address : address
  return { address, from: nameBytes(from), principal: `token:${token.id}`, terms, proof }
}

function connectionOf(session: Session, token: string): string {
  return `token:${token}/${session.core.shares.numberOf(token, session)}`
}

function clientNames(account: Named, client: Named): string[] {
  return [account.slug, account.id].flatMap((owner) =>
    [client.slug, client.id].map((name) => `client:${owner}/${name}`),
  )
}

/** The account of this name, a slug or UUID, if the socket is somebody in it. */
export function accountOf({ proofs }: Session, name: string): Named | undefined {
  return proofs.find(({ account }) => account && isNamed(account, name))?.account
}

/** Whether it speaks for the account itself. */
export function owns({ proofs }: Session, account: string): boolean {
  return proofs.some((proof) => proof.owner && proof.account && isNamed(proof.account, account))
}

/** It is about to be gone: its places are free for others. */
export function letGo(session: Session): void {
  session.core.holders.change(session, session.proofs, [])
  session.core.accounts.change(session, session.proofs, [])
  for (const { token } of session.proofs) {
    if (token) session.core.shares.release(token.id, session)
  }
}
