import type { Joined } from '@porthouse/proto/v1/room'
import { after, joinBody } from './join.ts'
import type { Locks } from './locks.ts'
import { encodeFrame } from './packet.ts'
import type { Membership } from './room.ts'

// The gateway bounds what an unproved socket may send; further rooms follow when it is proved.
const FIRST_JOINS = 32

/** What this client knows beyond the first version. */
const CAPABILITIES = ['resume', 'events']

export interface HandshakeOptions {
  readonly agent: string
  /** Whether the URL names a place, so that a Joined comes without a Join. */
  readonly entering: boolean
}

/** What a new connection says first, and which of its answers are still to come. */
export class Handshake {
  readonly locks: Locks
  /** Of Hello, without whose answer there is no connection. */
  readonly helloId: number
  /** Ids of the joins that are not answered yet. */
  readonly rejoining = new Map<number, Membership>()
  welcomed = false
  #entered: boolean
  #later: Uint8Array[]
  readonly #newId: () => number
  readonly greeting: Uint8Array[]

  /**
   * `rooms` are joined again; the one that the URL names comes by itself. `resume`: token of an
   * earlier connection, or empty.
   */
  constructor(
    { agent, entering }: HandshakeOptions,
    locks: Locks,
    { resume, rooms, newId }: { resume: string; rooms: Membership[]; newId: () => number },
  ) {
    this.locks = locks
    this.#entered = !entering
    this.helloId = newId()
    const hello = { agent, capabilities: CAPABILITIES, resume }
    this.greeting = [encodeFrame(this.helloId, { case: 'hello', value: hello })]
    this.greeting.push(...locks.greeting(resume !== ''))
    this.#newId = newId
    const joins = rooms.map((room) => this.rejoin(room))
    this.#later = joins.splice(locks.greeted ? FIRST_JOINS : 0)
    this.greeting.push(...joins)
  }

  /** Asks for a room again, and for what was missed there. */
  rejoin(room: Membership): Uint8Array {
    const id = this.#newId()
    this.rejoining.set(id, room)
    const { address, stay, listening, position } = room
    return encodeFrame(id, joinBody(address, stay, listening ? after(position) : undefined))
  }

  get entered(): boolean {
    return this.#entered
  }

  /** The place that the URL names is entered. */
  enter(): void {
    this.#entered = true
    this.locks.entered()
  }

  /** Whether all has been answered. */
  get done(): boolean {
    return this.#isIn && this.rejoining.size === 0
  }

  get #isIn(): boolean {
    return this.welcomed && this.locks.settled && this.#entered
  }

  /** What has to wait for the proof; empty before it, and after it was taken. */
  takeLater(): Uint8Array[] {
    return this.#isIn ? this.#later.splice(0) : []
  }

  /**
   * The room that an answer is for: by its id, else the oldest, since they are answered in order.
   */
  take(id: number): Membership | undefined {
    const [oldest] = this.rejoining.keys()
    const key = id || oldest
    if (key === undefined) return undefined
    const room = this.rejoining.get(key)
    this.rejoining.delete(key)
    return room
  }

  /** The ids of the joins that wait for the locks of a place. */
  joinsOf(place: string): number[] {
    return [...this.rejoining].filter(([, { room }]) => room === place).map(([id]) => id)
  }
}

/** A room that was found again after a reconnection. */
export interface Rejoined {
  readonly address: string
  readonly epoch: bigint
  /** The last position before listening began again. */
  readonly sequence: bigint
  /** Whether nothing was missed in between: what came meanwhile comes now. Else see event `gap`. */
  readonly recovered: boolean
}

export const rejoined = (joined: Joined, recovered: boolean): Rejoined => {
  const { address, epoch, sequence } = joined
  return { address, epoch, sequence, recovered }
}
