import type { Joined } from '@porthouse/proto/v1/room'
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
    const joins = rooms.map((room) => {
      const id = newId()
      this.rejoining.set(id, room)
      const join = { address: room.address, sendOnly: !room.listening }
      return encodeFrame(id, { case: 'room', value: { action: { case: 'join', value: join } } })
    })
    this.#later = joins.splice(locks.greeted ? FIRST_JOINS : 0)
    this.greeting.push(...joins)
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
  /** Whether nothing was missed in between. False: unknown, so count on having missed something. */
  readonly recovered: boolean
}

export const rejoined = ({ address, epoch, sequence }: Joined): Rejoined => ({
  address,
  epoch,
  sequence,
  recovered: false,
})
