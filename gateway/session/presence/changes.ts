/**
 * What has changed in who is in a room since its members were told last: of each name how many
 * sockets it had then. What they were told then, with what they are told next, is always what is;
 * so a list that is given in between is given as of then.
 */
import { create } from '@bufbuild/protobuf'
import { type Member, MemberSchema } from '@porthouse/proto/v1/room'
import type { Headcount } from '../../router/occupancy.ts'

export interface Change {
  readonly joined: readonly Member[]
  /** Names. */
  readonly left: readonly string[]
  /** Names in the room when they were told last, and now. */
  readonly before: number
  readonly count: number
}

export class Changes {
  readonly #people: Headcount
  /** Names whose sockets are not as many as they were. */
  readonly #before = new Map<string, number>()

  constructor(people: Headcount) {
    this.#people = people
  }

  /** Does what changes how many sockets these names have. */
  during(names: readonly string[], change: () => void): void {
    for (const name of names) {
      if (!this.#before.has(name)) this.#before.set(name, this.#people.socketsOf(name))
    }
    change()
    // Whoever is back within the time was never away.
    for (const name of names) {
      if (this.#before.get(name) === this.#people.socketsOf(name)) this.#before.delete(name)
    }
  }

  /** Names that came from none to some, or went from some to none. */
  get change(): Change {
    const joined: Member[] = []
    const left: string[] = []
    for (const [name, before] of this.#before) {
      const sockets = this.#people.socketsOf(name)
      if (before === 0) joined.push(memberOf(name, sockets))
      else if (sockets === 0) left.push(name)
    }
    const count = this.#people.names
    return { joined, left, before: count - joined.length + left.length, count }
  }

  /** Names that were in it when they were told last, and of each how many sockets it had. */
  get told(): string[] {
    const stayed = [...this.#people].filter(([name]) => this.#before.get(name) !== 0)
    const gone = [...this.#before].filter(
      ([name, sockets]) => sockets > 0 && this.#people.socketsOf(name) === 0,
    )
    return [...stayed, ...gone].map(([name]) => name)
  }

  socketsTold(name: string): number {
    return this.#before.get(name) ?? this.#people.socketsOf(name)
  }
}

export function memberOf(address: string, sockets: number): Member {
  return create(MemberSchema, { address, sockets })
}
