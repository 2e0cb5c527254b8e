import type { MessageInitShape } from '@bufbuild/protobuf'
import type {
  Command,
  CommandSchema,
  Allowance as WireAllowance,
  Occupancy as WireOccupancy,
  SocketInfo as WireSocket,
  RoomUnread as WireUnread,
} from '@porthouse/proto/v1/command'
import type { Member } from './member.ts'
import { pages } from './pages.ts'
import { asFrame, type Question, type Queue } from './queue.ts'

/** A live socket. */
export interface SocketInfo {
  /** `socket:…`. */
  readonly socket: string
  /** Whom it has proved to be: `client:…` and `token:…/n`. */
  readonly identities: readonly string[]
  /** Those of accounts that the asker is of. */
  readonly rooms: readonly Allowance[]
  readonly opened: Date
  /** Acceptors of the locks that it stands at, the oldest first. */
  readonly locks: readonly string[]
  /** Whether it is the one that asks. */
  readonly self: boolean
}

/** What a socket may do in a room that it is in. */
export interface Allowance {
  /** `room:{account}/{room}`. */
  readonly address: string
  readonly maySend: boolean
  readonly listening: boolean
  readonly mayAdmit: boolean
}

/** How much of a room a client has not read. */
export interface RoomUnread {
  /** `room:{account}/{room}`. */
  readonly address: string
  readonly epoch: bigint
  /** Read up to here; 0: nothing yet. */
  readonly cursor: bigint
  /** The last position. */
  readonly last: bigint
  /** Messages after the cursor that the client may hear, counted up to 1,000. */
  readonly count: number
}

/** Who is in a room or channel, and what goes through it. */
export interface Occupancy {
  /** `room:{account}/{room}[/{channel}]`. */
  readonly address: string
  /** That listen to it, or send there alone. */
  readonly sockets: number
  /** Different clients and tokens among them. */
  readonly clients: number
  /** Since the gateway loaded the room; content in bytes. */
  readonly messages: bigint
  readonly bytes: bigint
  /** Over the last ten seconds or so. */
  readonly messagesPerSecond: number
  readonly bytesPerSecond: number
}

type Action = NonNullable<MessageInitShape<typeof CommandSchema>['action']>
type Answer = Command['action']
type Value<Kind> = Extract<Answer, { case: Kind }>['value']
type PageKind = 'sockets' | 'rooms' | 'clients' | 'unread' | 'stats'

/** What a client asks of the gateway beside messages and rooms. */
export class Commands {
  readonly #queue: Queue

  constructor(queue: Queue) {
    this.#queue = queue
  }

  sockets(of: string): AsyncGenerator<SocketInfo, void> {
    return this.#pages('sockets', (after) => ({ case: 'listSockets', value: { of, after } }), {
      items: ({ sockets }) => sockets.map(readSocket),
      nameOf: ({ socket }) => socket,
    })
  }

  rooms(of: string): AsyncGenerator<Allowance, void> {
    return this.#pages('rooms', (after) => ({ case: 'listRooms', value: { of, after } }), {
      items: ({ rooms }) => rooms.map(readAllowance),
      nameOf: ({ address }) => address,
    })
  }

  clients(of: string): AsyncGenerator<Member, void> {
    return this.#pages('clients', (after) => ({ case: 'listClients', value: { of, after } }), {
      items: ({ clients }) => clients.map(({ address, sockets }) => ({ address, sockets })),
      nameOf: ({ address }) => address,
    })
  }

  unread(): AsyncGenerator<RoomUnread, void> {
    return this.#pages('unread', (after) => ({ case: 'listUnread', value: { after } }), {
      items: ({ rooms }) => rooms.map(readUnread),
      nameOf: ({ address }) => address,
    })
  }

  stats(of: string): AsyncGenerator<Occupancy, void> {
    return this.#pages('stats', (after) => ({ case: 'getStats', value: { of, after } }), {
      items: ({ occupancies }) => occupancies.map(readOccupancy),
      nameOf: ({ address }) => address,
    })
  }

  async dropSocket(socket: string): Promise<void> {
    await this.#ask({ case: 'dropSocket', value: { socket } }, 'done', false)
  }

  async admit(lock: string, admitted: boolean): Promise<void> {
    await this.#ask({ case: 'admit', value: { lock, admitted } }, 'done', false)
  }

  async watch(of: string, stop: boolean): Promise<void> {
    await this.#ask({ case: 'watch', value: { of, stop } }, 'done')
  }

  /** A page at a time, as the loop needs it; each is asked for by the name before it. */
  #pages<Kind extends PageKind, Item>(
    kind: Kind,
    question: (after: string) => Action,
    page: { items(page: Value<Kind>): Item[]; nameOf(item: Item): string },
  ): AsyncGenerator<Item, void> {
    return pages(
      async (after) => {
        const answer = await this.#ask(question(after), kind)
        return { items: page.items(answer), more: answer.more }
      },
      (item) => page.nameOf(item),
    )
  }

  #ask<Kind extends NonNullable<Answer['case']>>(
    action: Action,
    kind: Kind,
    repeatable = true,
  ): Promise<Value<Kind>> {
    const question: Question<Value<Kind>> = {
      bytes: 1024,
      repeatable,
      encode: asFrame({ case: 'command', value: { action } }),
      read(answer) {
        if (answer.case !== 'command' || answer.value.action.case !== kind) return undefined
        return answer.value.action.value as Value<Kind>
      },
    }
    return this.#queue.ask(question)
  }
}

function readSocket({ socket, identities, rooms, openedMs, locks, self }: WireSocket): SocketInfo {
  return {
    socket,
    identities: [...identities],
    rooms: rooms.map(readAllowance),
    opened: new Date(Number(openedMs)),
    locks: [...locks],
    self,
  }
}

function readAllowance({ address, maySend, listening, mayAdmit }: WireAllowance): Allowance {
  return { address, maySend, listening, mayAdmit }
}

function readUnread({ address, epoch, cursor, lastSequence, count }: WireUnread): RoomUnread {
  return { address, epoch, cursor, last: lastSequence, count }
}

function readOccupancy(occupancy: WireOccupancy): Occupancy {
  const { address, sockets, clients, messages, bytes } = occupancy
  const { messagesPerSecond, bytesPerSecond } = occupancy
  return { address, sockets, clients, messages, bytes, messagesPerSecond, bytesPerSecond }
}
