/**
 * The groups of a room (R27, R32): named sets of its members. What is sent to one goes to all of
 * them, or to one of them in turn.
 */
import type { Membership } from './place.ts'
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

  /** Those who joined it by themselves are in it no more. */
  close(): void {
    for (const member of [...this.#joined]) this.leave(member)
  }

  /** Who gets a message; never who sent it. */
  receivers(origin: Socket): Socket[] {
    const others: Socket[] = []
    for (const member of this.#members) {
      if (member.socket === origin) continue
      others.push(member.socket)
      if (this.terms.delivery === 'all') continue
      this.#members.delete(member)
      this.#members.add(member)
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

  get(name: string): Group | undefined {
    return this.#groups.get(name)
  }

  /** Takes changed terms over; members stay in groups that stay. */
  configure(all: readonly GroupTerms[]): void {
    const names = new Set(all.map(({ name }) => name))
    for (const name of this.#groups.keys()) if (!names.has(name)) this.#groups.delete(name)
    for (const terms of all) {
      const group = this.#groups.get(terms.name)
      if (!group) this.#groups.set(terms.name, new Group(terms))
      else {
        group.terms = terms
        if (!terms.open) group.close()
      }
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
