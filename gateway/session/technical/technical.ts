/**
 * The technical channel (R10): the one place by which sessions tell what happens to sockets. Where
 * nobody watches, it costs a look at a counter; and it is never on the way of a message.
 */
import { Code } from '@porthouse/proto/v1/code'
import { EventKind } from '@porthouse/proto/v1/event'
import type { Named, Proof } from '../../locks/proof.ts'
import { accountIn } from '../../protocol/address.ts'
import type { Graph } from '../../router/graph.ts'
import type { Membership } from '../../router/membership.ts'
import { heardAs, knownAs } from '../identity/known-as.ts'
import type { Session } from '../session.ts'
import { Watches } from './watches.ts'

/** Optional behaviour that a client asks for in Hello: events that it did not ask to watch. */
export const EVENTS_CAPABILITY = 'events'

/** Between two events that tell of one socket that it is slow, in milliseconds. */
const SLOW_MS = 10_000

/** What happened, but for whom it happened to. */
export interface Happening {
  readonly kind: EventKind
  /** `room:…` or `lobby:…`. */
  readonly place?: string
  /** Without its `lock:`. */
  readonly lock?: string
  readonly acceptor?: string
  readonly code?: Code
  readonly detail?: string
}

/** What happens at the door is for those alone who may let somebody in. */
const AT_THE_DOOR: ReadonlySet<EventKind> = new Set([EventKind.LOCKED, EventKind.UNLOCKED])

export interface TechnicalParts {
  readonly graph: Graph
  /** Milliseconds since 1970-01-01 UTC. */
  readonly clock: () => number
  /** As in the config; of rooms whose own config does not say it. */
  readonly roomSockets: number
}

export class Technical {
  readonly watches = new Watches()
  readonly #parts: TechnicalParts
  readonly #slow = new WeakMap<Session, number>()

  constructor(parts: TechnicalParts) {
    this.#parts = parts
  }

  /** A socket has proved this, beside what it had proved before. */
  opened(about: Session, proof: Proof, before: readonly Proof[]): void {
    const { account, client } = proof
    if (this.watches.empty || !account) return
    const tell = this.#teller(about, { kind: EventKind.OPENED })
    const known = () => knownAs(about, account.id)
    if (!before.some((each) => each.account?.id === account.id)) {
      tell(this.watches.of(`account:${account.id}`), known)
    }
    if (client && !before.some((each) => each.client?.id === client.id)) {
      tell(this.watches.of(`client:${client.id}`), known)
    }
  }

  /** Something happened to a socket at a place. */
  at(about: Session, happening: Happening & { readonly place: string }): void {
    if (this.watches.empty) return
    const { place } = happening
    const account = accountIn(place)
    const tell = this.#teller(about, happening)
    tell(this.watches.of(`account:${account}`), () => knownAs(about, account))
    const room = this.#parts.graph.placeAt(place)
    const { technicalSockets } = (room && about.core.rooms.at(room).config) ?? {}
    if (!room || room.members.size > (technicalSockets ?? this.#parts.roomSockets)) return
    const atTheDoor = happening.lock !== undefined || AT_THE_DOOR.has(happening.kind)
    const hearers = [...(atTheDoor ? room.admitters : room.members)]
      .map(({ socket }) => socket as Session)
      .filter((session) => this.watches.has(session, 'rooms'))
    const member = about.memberships.get(room.route)
    tell(hearers, () => namesInRoom(about, account, member))
  }

  /** The connection is over: `code` says why the gateway ended it, UNSPECIFIED that it did not. */
  ended(about: Session, code: Code): void {
    if (this.watches.empty) return
    this.watches.removeAll(about)
    const kind = code === Code.UNSPECIFIED ? EventKind.CLOSED : EventKind.DROPPED
    this.#everywhere(about, { kind, code })
    const left = about.unlocked ? EventKind.LEFT : kind
    for (const { id: lock, place, choice } of about.stack.locks) {
      if (place) this.at(about, { kind: left, code, place, lock, acceptor: choice.acceptor })
    }
  }

  /** It reads more slowly than it is sent to. */
  slow(about: Session): void {
    if (this.watches.empty) return
    const now = about.core.uptime()
    if (now - (this.#slow.get(about) ?? Number.NEGATIVE_INFINITY) < SLOW_MS) return
    this.#slow.set(about, now)
    this.#everywhere(about, { kind: EventKind.SLOW })
  }

  /** Tells everybody who hears public events. `detail`: for a person, at most 256 bytes. */
  announce(sessions: Iterable<Session>, detail: string): void {
    const timeMs = BigInt(this.#parts.clock())
    const value = { kind: EventKind.ANNOUNCED, detail, timeMs }
    for (const session of sessions) {
      if (session.capabilities.has(EVENTS_CAPABILITY)) session.send(0, { case: 'event', value })
    }
  }

  /** Tells an account what failed of its own, and nobody of it. `detail`: at most 256 bytes. */
  failed({ id }: Named, place: string | undefined, code: Code, detail: string): void {
    const timeMs = BigInt(this.#parts.clock())
    const value = { kind: EventKind.FAILED, place: place ?? '', code, detail, timeMs }
    for (const session of this.watches.of(`account:${id}`)) {
      session.send(0, { case: 'event', value })
    }
  }

  /** Tells one socket. */
  tell(to: Session, about: Session, happening: Happening, identities: string[]): void {
    this.#teller(about, happening)([to], () => identities)
  }

  /** Wherever the socket is somebody. */
  #everywhere(about: Session, happening: Happening): void {
    const tell = this.#teller(about, happening)
    for (const { account, client } of about.proofs) {
      if (!account) continue
      const known = () => knownAs(about, account.id)
      tell(this.watches.of(`account:${account.id}`), known)
      if (client) tell(this.watches.of(`client:${client.id}`), known)
    }
  }

  /** Tells each of several only once, and never the socket of itself. */
  #teller(about: Session, happening: Happening) {
    const told = new Set([about])
    return (hearers: readonly Session[], identities: () => string[]): void => {
      const left = hearers.filter((session) => !told.has(session))
      if (left.length === 0) return
      const value = this.#event(about, happening, identities())
      for (const session of left) {
        told.add(session)
        session.send(0, { case: 'event', value })
      }
    }
  }

  #event(about: Session, { lock, ...happening }: Happening, identities: string[]) {
    const { kind, place = '', acceptor = '', code = Code.UNSPECIFIED, detail = '' } = happening
    const timeMs = BigInt(this.#parts.clock())
    const socket = about.address
    const at = lock === undefined ? '' : `lock:${lock}`
    return { kind, socket, identities, place, lock: at, acceptor, code, timeMs, detail }
  }
}

/** Whom the others in a room know: the room's own clients, and whoever sends there. */
function namesInRoom(about: Session, account: string, member: Membership | undefined): string[] {
  const clients = knownAs(about, account).filter((name) => name.startsWith('client:'))
  return [...new Set([...clients, ...(member ? heardAs(member) : [])])]
}
