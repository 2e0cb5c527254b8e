/**
 * The groups of a room (R27, R32): named sets of its members. What is sent to one goes to all of
 * them, or to one of them in turn.
 */
import type { Membership } from './membership.ts'
import type { Socket } from './socket.ts'

export interface GroupTerms {
  readonly name: string
  /** Any member may join it. */
  readonly open: boolean
  readonly delivery: 'all' | 'one'
}

export class Group {
  terms: GroupTerms
  /** By config, and by a Join. */
  readonly #appointed = new Set<Membership>()
  readonly #joined = new Set<Membership>()
  /** All of them: who was picked last stands last. */
  readonly #members = new Set<Membership>()

  constructor(terms: GroupTerms) {
    this.terms = terms
  }

  get size(): number {
    return this.#members.size
  }

  has(member: Membership): boolean {
    return this.#members.has(member)
  }

  /** The config says whether he is in it. */
  appoint(member: Membership, appointed: boolean): void {
    change(this.#appointed, member, appointed)
    this.#settle(member)
  }

  join(member: Membership): void {
    this.#joined.add(member)
    this.#settle(member)
  }

  /** He stays where the config has him in it. */
  leave(member: Membership): void {
    this.#joined.delete(member)
    this.#settle(member)
  }

  /** He is in the room no more, or may not hear it. */
  remove(member: Membership): void {
    for (const set of [this.#appointed, this.#joined, this.#members]) set.delete(member)
  }

  /** Only those whom the config has in it stay. Returns the others. */
  close(): Membership[] {
    for (const member of this.#joined) if (this.#appointed.has(member)) this.#joined.delete(member)
    const others = [...this.#joined]
    for (const member of others) this.leave(member)
    return others
  }

  /** In turn. */
  get members(): Iterable<Membership> {
    return this.#members
  }

  /** Who gets a message; never who sent it. `takesTurns`: the next one is for another. */
  receivers(origin: Socket, takesTurns: boolean): Socket[] {
    const others: Socket[] = []
    for (const member of this.#members) {
      if (member.socket === origin) continue
      others.push(member.socket)
      if (this.terms.delivery === 'all') continue
      if (takesTurns) {
        this.#members.delete(member)
        this.#members.add(member)
      }
      break
    }
    return others
  }

  #settle(member: Membership): void {
    change(this.#members, member, this.#appointed.has(member) || this.#joined.has(member))
  }
}

export class Groups {
  readonly #groups = new Map<string, Group>()
  /** Names of groups that a changed config has ended for a member. */
  readonly #ended = new WeakMap<Membership, string[]>()

  get(name: string): Group | undefined {
    return this.#groups.get(name)
  }

  [Symbol.iterator](): IterableIterator<Group> {
    return this.#groups.values()
  }

  /** Names of those that he is in. */
  namesOf(member: Membership): string[] {
    const groups = [...this].filter((group) => group.has(member))
    return groups.map(({ terms }) => terms.name).sort()
  }

  /** Takes changed terms over; members stay in groups that stay. */
  configure(all: readonly GroupTerms[]): void {
    const names = new Set(all.map(({ name }) => name))
    for (const [name, group] of this.#groups) {
      if (names.has(name)) continue
      this.#groups.delete(name)
      this.#end(name, group.members)
    }
    for (const terms of all) {
      const group = this.#groups.get(terms.name)
      if (!group) this.#groups.set(terms.name, new Group(terms))
      else {
        group.terms = terms
        if (!terms.open) this.#end(terms.name, group.close())
      }
    }
  }

  /** Names of those that a changed config has taken him out of, since this was asked. */
  takeEnded(member: Membership): readonly string[] {
    const names = this.#ended.get(member) ?? []
    this.#ended.delete(member)
    return names
  }

  #end(name: string, members: Iterable<Membership>): void {
    for (const member of members) {
      this.#ended.set(member, [...(this.#ended.get(member) ?? []), name])
    }
  }

  remove(member: Membership): void {
    for (const group of this.#groups.values()) group.remove(member)
  }
}

function change(set: Set<Membership>, member: Membership, isIn: boolean): void {
  if (isIn) set.add(member)
  else set.delete(member)
}
