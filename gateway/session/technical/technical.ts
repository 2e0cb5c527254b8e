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
import { eventOf, type Happening } from './happening.ts'
import { Taps } from './taps.ts'
import { Watches } from './watches.ts'

/** Optional behaviour that a client asks for in Hello: events that it did not ask to watch. */
export const EVENTS_CAPABILITY = 'events'

/** Between two events that tell of one socket that it is slow, in milliseconds. */
const SLOW_MS = 10_000

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
  readonly taps = new Taps()
  readonly #parts: TechnicalParts
  readonly #slow = new WeakMap<Session, number>()

  constructor(parts: TechnicalParts) {
    this.#parts = parts
  }

  /** A connection is there, which is nobody yet. */
  connected(about: Session): void {
    if (!this.taps.empty) this.taps.happened({ happening: { kind: EventKind.OPENED }, about })
  }

  /** A socket has proved this, beside what it had proved before. */
  opened(about: Session, proof: Proof, before: readonly Proof[]): void {
    const { account, client } = proof
    if (this.#unheard || !account || about.unseen) return
    const happening = { kind: EventKind.OPENED }
    const tell = this.#teller(about, happening)
    const known = () => knownAs(about, account.id)
    const inAccount = !before.some((each) => each.account?.id === account.id)
    const asClient = client && !before.some((each) => each.client?.id === client.id)
    if (inAccount || asClient) this.taps.happened({ happening, about, account: account.id })
    if (inAccount) tell(this.watches.of(`account:${account.id}`), known)
    if (asClient) tell(this.watches.of(`client:${client.id}`), known)
  }

  /** Nothing that is an event, but what it is, or may do, is not what it was. */
  changed(about: Session): void {
    if (!about.unseen) this.taps.changed(about)
  }

  /** Something happened to a socket at a place. */
  at(about: Session, happening: Happening & { readonly place: string }): void {
    if (this.#unheard || about.unseen) return
    this.taps.happened({ happening, about })
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
    if (this.#unheard) return
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
    if (this.#unheard) return
    const now = about.core.uptime()
    if (now - (this.#slow.get(about) ?? Number.NEGATIVE_INFINITY) < SLOW_MS) return
    this.#slow.set(about, now)
    this.#everywhere(about, { kind: EventKind.SLOW })
  }

  /**
   * Tells everybody among these who hears public events. `detail`: for a person, at most 256 bytes;
   * `account`: UUID of the one whose sockets they are, absent: they are all.
   */
  announce(sessions: Iterable<Session>, detail: string, account?: string): void {
    const happening = { kind: EventKind.ANNOUNCED, detail }
    this.taps.happened({ happening, about: undefined, account })
    const value = eventOf('', [], happening, this.#parts.clock())
    for (const session of sessions) {
      if (session.capabilities.has(EVENTS_CAPABILITY)) session.send(0, { case: 'event', value })
    }
  }

  /** Tells an account what failed of its own, and nobody of it. `detail`: at most 256 bytes. */
  failed({ id }: Named, place: string | undefined, code: Code, detail: string): void {
    const happening = { kind: EventKind.FAILED, place, code, detail }
    this.taps.happened({ happening, about: undefined, account: id })
    const value = eventOf('', [], happening, this.#parts.clock())
    for (const session of this.watches.of(`account:${id}`)) {
      session.send(0, { case: 'event', value })
    }
  }

  /** Somebody asks to be let in; those who may do that are told one by one. */
  knocked(about: Session, happening: Happening): void {
    this.taps.happened({ happening, about })
  }

  /** Tells one socket. */
  tell(to: Session, about: Session, happening: Happening, identities: string[]): void {
    this.#teller(about, happening)([to], () => identities)
  }

  get #unheard(): boolean {
    return this.watches.empty && this.taps.empty
  }

  /** Wherever the socket is somebody. */
  #everywhere(about: Session, happening: Happening): void {
    this.taps.happened({ happening, about })
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
      const value = eventOf(about.address, identities(), happening, this.#parts.clock())
      for (const session of left) {
        told.add(session)
        session.send(0, { case: 'event', value })
      }
    }
  }
}

/** Whom the others in a room know: the room's own clients, and whoever sends there. */
function namesInRoom(about: Session, account: string, member: Membership | undefined): string[] {
  const clients = knownAs(about, account).filter((name) => name.startsWith('client:'))
  return [...new Set([...clients, ...(member ? heardAs(member) : [])])]
}
