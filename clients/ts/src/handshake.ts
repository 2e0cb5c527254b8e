import type { Joined } from '@porthouse/proto/v1/room'
import { encodeFrame } from './packet.ts'
import type { Membership } from './room.ts'

// The gateway bounds what an unproved socket may send; further rooms follow when it is proved.
const FIRST_JOINS = 32

export interface HandshakeOptions {
  readonly agent: string
  readonly token: string | undefined
  /** Whether the URL names a room, so that a Joined comes without a Join. */
  readonly entering: boolean
}

/** What a new connection says first, and which of its answers are still to come. */
export class Handshake {
  /** Ids of the questions without whose answers there is no connection. */
  readonly essential = new Set<number>()
  /** Ids of the joins that are not answered yet. */
  readonly rejoining = new Map<number, Membership>()
  welcomed = false
  proved: boolean
  entered: boolean
  #later: Uint8Array[] = []
  readonly greeting: Uint8Array[]

  /** `rooms` are joined again; the one that the URL names comes by itself. */
  constructor(options: HandshakeOptions, rooms: Iterable<Membership>, newId: () => number) {
    const { agent, token, entering } = options
    this.proved = token === undefined
    this.entered = !entering
    const essentialId = () => {
      const id = newId()
      this.essential.add(id)
      return id
    }
    this.greeting = [encodeFrame(essentialId(), { case: 'hello', value: { agent } })]
    if (token !== undefined) {
      const answer = { acceptor: 'token', response: { case: 'text' as const, value: token } }
      const step = { case: 'answer' as const, value: answer }
      this.greeting.push(encodeFrame(essentialId(), { case: 'lockStep', value: { step } }))
    }
    const joins = [...rooms].map((room) => {
      const id = newId()
      this.rejoining.set(id, room)
      const join = { address: room.address, sendOnly: !room.listening }
      return encodeFrame(id, { case: 'room', value: { action: { case: 'join', value: join } } })
    })
    this.#later = joins.splice(FIRST_JOINS)
    this.greeting.push(...joins)
  }

  /** Whether all has been answered. */
  get done(): boolean {
    return this.welcomed && this.proved && this.entered && this.rejoining.size === 0
  }

  /** What has to wait for the proof; empty before it, and after it was taken. */
  takeLater(): Uint8Array[] {
    return this.welcomed && this.proved ? this.#later.splice(0) : []
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
