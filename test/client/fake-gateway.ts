/**
 * A gateway of one room that fails on command: it cuts, doubles, forgets, restarts and loses
 * receipts. Its log is the truth that a client's readers are held against.
 */
import { Code } from '@porthouse/proto/v1/code'
import { Replay } from '@porthouse/proto/v1/envelope'
import type { Frame } from '@porthouse/proto/v1/frame'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import type { Join, Room } from '@porthouse/proto/v1/room'
import { hears, splitRoom } from '../../clients/ts/src/address.ts'
import {
  joined,
  type Line,
  limits,
  message,
  Peer,
  receipt,
  uuid,
  verdict,
} from '../support/peer.ts'

export interface Logged {
  readonly epoch: bigint
  readonly sequence: bigint
  readonly channel: string
  readonly text: string
  readonly own: boolean
}

interface Listener {
  readonly line: Line
  /** Channels heard live, as filters. */
  readonly live: Set<string>
}

const ROOM = 'room:acme/boiler'
const PAGE = 2

export class FakeGateway {
  readonly peer: Peer
  /** All that was ever said. */
  readonly all: Logged[] = []
  epoch = 1n
  /** What it keeps. */
  #log: Logged[] = []
  #keys = new Map<string, Logged>()
  #last = 0n
  #listener: Listener | undefined
  #cutAfter = Number.POSITIVE_INFINITY
  #losesReceipts = false
  #refusals = 0
  readonly #joinsSeen: string[] = []
  readonly #live: (() => void)[] = []

  static async start(): Promise<FakeGateway> {
    return new FakeGateway(await Peer.start())
  }

  private constructor(peer: Peer) {
    this.peer = peer
    void this.#serve()
  }

  get joins(): readonly string[] {
    return this.#joinsSeen
  }

  /** Resolves when so many subscriptions are live. */
  async isLive(count: number): Promise<void> {
    while ((this.#listener?.live.size ?? 0) < count) {
      await new Promise<void>((resolve) => this.#live.push(resolve))
    }
  }

  /** Somebody says something. */
  say(channel: string, text: string, own = false): Logged {
    const { epoch } = this
    const said = { epoch, sequence: ++this.#last, channel, text, own }
    this.#log.push(said)
    this.all.push(said)
    if (!own) this.#hear(said)
    return said
  }

  /** Delivers the last message once more. */
  double(): void {
    const last = this.#log.at(-1)
    if (last && !last.own) this.#hear(last)
  }

  cut(): void {
    this.#listener?.line.cut()
    this.#listener = undefined
  }

  /** Cuts when so many more messages of the past have been replayed. */
  cutAfter(messages: number): void {
    this.#cutAfter = messages
  }

  /** The next message is taken, and the connection cut before its receipt. */
  loseReceipts(): void {
    this.#losesReceipts = true
  }

  /** So many messages are refused for now, of which none is kept. */
  refuse(count: number): void {
    this.#refusals = count
  }

  /** Keeps no more than the last so many. */
  trim(keep: number): void {
    this.#log = keep === 0 ? [] : this.#log.slice(-keep)
  }

  /** Without its memory: in a new epoch. */
  restart(): void {
    this.cut()
    this.epoch += 10n
    this.#last = 0n
    this.#log = []
    this.#keys.clear()
  }

  async stop(): Promise<void> {
    await this.peer.stop()
  }

  get #first(): bigint {
    return this.#log[0]?.sequence ?? this.#last + 1n
  }

  #hear(said: Logged): void {
    const { live = [], line } = this.#listener ?? {}
    if ([...live].some((filter) => hears(filter, said.channel))) line?.send(frameOf(said))
  }

  async #serve(): Promise<void> {
    for (;;) {
      const line = await this.peer.line()
      const listener = { line, live: new Set<string>() }
      this.#listener = listener
      void this.#talk(listener)
    }
  }

  async #talk(listener: Listener): Promise<void> {
    for (;;) {
      for (const frame of await listener.line.packet()) this.#answer(listener, frame)
    }
  }

  #answer(listener: Listener, { id, body }: Frame): void {
    const { line } = listener
    if (listener !== this.#listener) return
    switch (body.case) {
      case 'hello': {
        const value = { socket: 'socket:aaaaaaaaaaaaaaaa', limits, heartbeatMs: 0 }
        return line.send({ id, body: { case: 'welcome', value } })
      }
      case 'lockStep':
        return line.send(verdict(id, 1))
      case 'room':
        return this.#room(listener, id, body.value)
      case 'envelope': {
        const { routing, content } = body.value
        const text = String(content.value)
        if (this.#refusals-- > 0) {
          const facts = { status: ReceiptStatus.REJECTED, code: Code.UNAVAILABLE, sequence: 0n }
          return line.send(receipt(id, facts))
        }
        const key = routing?.idempotencyKey ?? ''
        const before = this.#keys.get(key)
        const said = before ?? this.say(routing?.channel ?? '', text, true)
        this.#keys.set(key, said)
        if (this.#losesReceipts) {
          this.#losesReceipts = false
          return this.cut()
        }
        const status = before ? ReceiptStatus.DUPLICATE : ReceiptStatus.ROUTED
        const { epoch, sequence } = said
        return line.send(receipt(id, { status, epoch, sequence, id: uuid(Number(sequence)) }))
      }
    }
  }

  #room(listener: Listener, id: number, { action }: Room): void {
    if (action.case !== 'join') return
    const { address, backlog } = action.value
    this.#joinsSeen.push(address)
    const facts = { epoch: this.epoch, sequence: this.#last, route: 7 }
    const { channel } = splitRoom(address)
    if (backlog.case === undefined) {
      listener.line.send(joined(id, address, facts))
      listener.live.add(channel)
      for (const resolve of this.#live.splice(0)) resolve()
      return
    }
    const { after, code } = this.#beginning(backlog)
    const frame = joined(id, address, facts)
    const value = (frame.body as { value: { action: { value: object } } }).value.action.value
    Object.assign(value, { backlog: { recovered: code === 0, afterSequence: after, code } })
    listener.line.send(frame)
    void this.#catchUp(listener, address, after)
  }

  #beginning(backlog: Join['backlog']): { after: bigint; code: Code } {
    const before = this.#first - 1n
    if (backlog.case !== 'after') return { after: before, code: 0 }
    const { epoch, sequence } = backlog.value
    if (epoch === 0n && sequence === 0n) return { after: before, code: 0 }
    if (epoch !== 0n && epoch !== this.epoch) return { after: before, code: Code.EPOCH_CHANGED }
    if (sequence > this.#last) return { after: this.#last, code: Code.POSITION_UNKNOWN }
    if (sequence >= before) return { after: sequence, code: 0 }
    return { after: before, code: Code.RETENTION }
  }

  /** A page in a turn, beside those of others, and what is live as soon as the last has gone. */
  async #catchUp(listener: Listener, address: string, after: bigint): Promise<void> {
    const { channel } = splitRoom(address)
    let through = after
    for (;;) {
      if (listener !== this.#listener) return
      const before = this.#first - 1n
      if (before > through) {
        listener.line.send(lost(through + 1n, before))
        through = before
      }
      const page = this.#log
        .filter(({ sequence }) => sequence > through)
        .filter((said) => hears(channel, said.channel))
        .slice(0, PAGE)
      for (const said of page) {
        if (this.#cutAfter-- <= 0) {
          this.#cutAfter = Number.POSITIVE_INFINITY
          return this.cut()
        }
        listener.line.send(frameOf(said, Replay.HISTORY))
      }
      through = page.at(-1)?.sequence ?? through
      if (page.length < PAGE) break
      await new Promise(setImmediate)
    }
    const value = { route: 7, address, sequence: this.#last }
    const action = { case: 'caughtUp' as const, value }
    listener.line.send({ body: { case: 'room', value: { action } } })
    listener.live.add(channel)
    for (const resolve of this.#live.splice(0)) resolve()
  }
}

export const room = ROOM

const lost = (fromSequence: bigint, toSequence: bigint) => {
  const count = Number(toSequence - fromSequence) + 1
  const value = { route: 7, fromSequence, toSequence, count, code: Code.RETENTION }
  return { body: { case: 'room' as const, value: { action: { case: 'lost' as const, value } } } }
}

function frameOf({ sequence, channel, text }: Logged, replay: Replay = Replay.UNSPECIFIED) {
  return message(text, { route: 7, sequence, channel, replay, id: uuid(Number(sequence)) })
}
