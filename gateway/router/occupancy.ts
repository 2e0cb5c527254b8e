/** Who is in a room, and who in which of its channels, by the names that members know (R23). */

/** Different names, and how many sockets each of them has. */
export class Headcount {
  readonly #sockets = new Map<string, number>()
  sockets = 0
  /** Names that are not a socket's own address. */
  clients = 0

  /** Different names, those of single sockets among them. */
  get names(): number {
    return this.#sockets.size
  }

  /** 0: nobody by that name. */
  socketsOf(name: string): number {
    return this.#sockets.get(name) ?? 0
  }

  [Symbol.iterator](): IterableIterator<[name: string, sockets: number]> {
    return this.#sockets.entries()
  }

  add(name: string): void {
    const before = this.socketsOf(name)
    this.sockets++
    if (before === 0 && !isNameless(name)) this.clients++
    this.#sockets.set(name, before + 1)
  }

  delete(name: string): void {
    const before = this.socketsOf(name)
    if (before === 0) return
    this.sockets--
    if (before > 1) {
      this.#sockets.set(name, before - 1)
      return
    }
    this.#sockets.delete(name)
    if (!isNameless(name)) this.clients--
  }
}

function isNameless(name: string): boolean {
  return name.startsWith('socket:')
}

/** A member as he is counted. */
interface Counted {
  /** `` while he is not counted. */
  name: string
  readonly filters: ReadonlySet<string>
}

/** A room's headcount, and one for each channel that somebody listens to by its name. */
export class Occupancy {
  readonly room = new Headcount()
  readonly #channels = new Map<string, Headcount>()

  /** Channels that somebody listens to, but for those who hear the whole room. */
  get channels(): Iterable<string> {
    return this.#channels.keys()
  }

  of(channel: string): Headcount | undefined {
    return this.#channels.get(channel)
  }

  /** Counts a member under another name; `` counts him no more. */
  rename(member: Counted, name: string): void {
    if (member.name !== '') {
      this.room.delete(member.name)
      for (const filter of member.filters) this.unlisten(member, filter)
    }
    member.name = name
    if (name === '') return
    this.room.add(name)
    for (const filter of member.filters) this.listen(member, filter)
  }

  listen({ name }: Counted, filter: string): void {
    if (name === '' || !isChannel(filter)) return
    let channel = this.#channels.get(filter)
    if (!channel) {
      channel = new Headcount()
      this.#channels.set(filter, channel)
    }
    channel.add(name)
  }

  unlisten({ name }: Counted, filter: string): void {
    const channel = this.#channels.get(filter)
    channel?.delete(name)
    if (channel?.sockets === 0) this.#channels.delete(filter)
  }
}

function isChannel(filter: string): boolean {
  return filter !== '' && !filter.includes('*')
}
