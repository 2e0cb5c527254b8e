/**
 * The connection behind which Aedes keeps a session: in memory, and no stream, since there is one
 * for every client that is connected (G10). Packets go in and come out whole; nothing ever waits
 * for a reader, so that no client can hold up another one (threat L2).
 */
import mqtt, {
  type IConnectPacket,
  type IDisconnectPacket,
  type IPingreqPacket,
  type IPubackPacket,
  type IPubcompPacket,
  type IPubrecPacket,
  type ISubscribePacket,
  type IUnsubscribePacket,
  type Packet,
} from 'mqtt-packet'
import { nameOf } from './names.ts'
import type { Persistence } from './persistence.ts'

/** Whose session it is: what Aedes asks of it, and tells it. */
export interface PortHost {
  /**
   * Whether it may have this subscription, and listens from now on. `restored`: it had it before it
   * was away, and false ends it for good. A rejection refuses a new one, and ends a connection that
   * restores.
   */
  subscribe(topic: string, qos: 0 | 1 | 2, restored: boolean): Promise<boolean>
  /**
   * Whether a message that was kept for it may still be delivered (threat A8); `wasSent`: its
   * delivery has begun.
   */
  mayHear(topic: string, wasSent: boolean): boolean
  /** What is stored with a subscription that it may have. */
  optionsOf(topic: string): SubscriptionOptions | undefined
  /** From Aedes: an answer, or a message that was kept, with Aedes' packet identifier. */
  packet(packet: Packet): void
  /** All that was kept has come. */
  ready(): void
  /**
   * Aedes has let go of it: another connection has taken the session over, or there was an error.
   * Once, and not after `Port.close`.
   */
  released(error: unknown): void
}

export interface SubscriptionOptions {
  readonly noLocal?: boolean | undefined
  readonly retainAsPublished?: boolean | undefined
  readonly retainHandling?: 0 | 1 | 2 | undefined
  readonly identifier?: number | undefined
  /** UUID. */
  readonly roomId?: string | undefined
  readonly position?: { readonly epoch: number; readonly sequence: number } | undefined
}

/** What a client says about its session; what it publishes goes past Aedes. */
export type SessionPacket =
  | IConnectPacket
  | ISubscribePacket
  | IUnsubscribePacket
  | IPubackPacket
  | IPubrecPacket
  | IPubcompPacket
  | IPingreqPacket
  | IDisconnectPacket

/** What of Aedes' client is used here; test/mqtt/aedes/contract.test.ts holds it to that. */
export interface AedesClient {
  readonly id: string
  readonly closed: boolean
  /** Whose packets are its own from then on: before, it restores. */
  readonly connackSent: boolean
  readonly conn: Port
  readonly broker: { readonly persistence: Pick<Persistence, 'removeSubscriptions'> }
  _authorized: boolean
  /** By topic, each with what delivers it. */
  subscriptions: object
  deliver0: Deliver
  deliverQoS: Deliver
  /** By broker: numbers of the messages that were delivered last. */
  duplicates: object
  /** What the client publishes by QoS 2, which goes past Aedes. */
  _inboundInflight: ReadonlySet<number>
  /** Node's: its listeners, by event. */
  _events: object
  _parser: Pick<Port, 'parse' | 'removeAllListeners'> & { listeners?(event: 'packet'): Take[] }
  _eos: () => void
  emit(event: 'error', error: unknown): void
  listeners(event: 'connected' | 'error'): unknown[]
  close(): void
}

/** How Aedes' client takes a packet of its parser, which is its `this`. */
type Take = (this: Port, packet: SessionPacket) => void

type Deliver = (packet: unknown, done: () => void) => void

type Listener = () => void

/** Of all ports: what Aedes writes is whole packets. */
let reader = newReader()
let read: Packet[] = []

/** Without anything inherited, as Aedes' own, which takes six times as much while it is empty. */
class Empty {}
Object.setPrototypeOf(Empty.prototype, null)
Reflect.deleteProperty(Empty.prototype, 'constructor')

/** One object for all clients, which none of them may change: each has the same, for good. */
let listeners: object | undefined

function listenersOf(client: AedesClient): object {
  const [connected] = client.listeners('connected')
  const [error] = client.listeners('error')
  return Object.freeze({ connected, error })
}

const NONE: ReadonlySet<number> = new Set()

/**
 * One object for all: who hears what is the stage's to know, and Aedes' emitter listens to no
 * subscription of a session. What Aedes has it remember is taken and forgotten.
 */
const FORGOTTEN = new Proxy(Object.create(null), { set: () => true })

/** What Aedes would deliver by a subscription goes past it. */
const undelivered: Deliver = (_packet, done) => done()

const OPEN = { ended: false, endEmitted: false, finished: false }

/** The connection and the parser of one client of Aedes. */
export class Port {
  readonly host: PortHost
  /** Aedes sets it. */
  client: AedesClient | undefined
  /** Aedes' own: what comes before it has sent CONNACK. */
  _queue: SessionPacket[] | null = []
  /** Aedes has it among its clients. */
  registered = false
  /** The store may have something of its session; else Aedes' questions are answered without it. */
  kept = false
  destroyed = false
  #given: SessionPacket[] | undefined
  #written: Buffer[] | undefined
  #onReadable: Listener | undefined
  #take: Take | undefined
  #silent = false

  constructor(host: PortHost) {
    this.host = host
  }

  /**
   * Aedes has made its client: of what that has made for itself a parser of bytes and whatever
   * watches a stream for its end are not needed, and would be more than all the rest (G10).
   */
  taken(): void {
    const { client } = this
    if (!client) return
    this.#take = client._parser.listeners?.('packet')[0]
    client._parser = this
    client.subscriptions = FORGOTTEN
    client.deliver0 = undelivered
    client.deliverQoS = undelivered
    client.duplicates = new Empty()
    client._inboundInflight = NONE
    listeners ??= listenersOf(client)
    client._events = listeners
    client._eos()
    client._eos = nothing
  }

  /** Says it to Aedes, without anything that is not Aedes' to know. */
  send(packet: SessionPacket): void {
    if (this.destroyed) return
    if (packet.cmd === 'connect') this.kept = packet.clean === false
    if (this.#given) this.#given.push(plain(packet))
    else this.#given = [plain(packet)]
    this.#onReadable?.()
  }

  /** The connection is gone, or the client has ended it. The session stays as Aedes has it. */
  close(): void {
    this.#silent = true
    this.#forget()
    this.client?.close()
    this.destroy()
  }

  // What Aedes asks of a parser, for which it takes what it has read.

  parse(packets: readonly SessionPacket[]): void {
    for (const packet of packets) this.#take?.call(this, packet)
  }

  emit(event: string, error?: unknown): void {
    if (event === 'error') this.client?.emit('error', error)
  }

  // What it asks of a stream. Nothing ever drains or ends, so nobody is told of it.

  setMaxListeners(): void {}

  on(event: string, listener: Listener): this {
    if (event === 'readable') this.#onReadable = listener
    return this
  }

  once(): this {
    return this
  }

  removeListener(): this {
    return this
  }

  removeAllListeners(event: string): this {
    if (event === 'readable') this.#onReadable = undefined
    if (event === 'packet') this.#take = undefined
    return this
  }

  read(): readonly SessionPacket[] | null {
    const given = this.#given
    this.#given = undefined
    return given ?? null
  }

  cork(): void {}

  /** A packet comes in pieces. */
  write(bytes: Buffer | string): boolean {
    const piece = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
    if (this.#written) this.#written.push(piece)
    else this.#written = [piece]
    return true
  }

  /** All packets that were written are whole now. */
  uncork(): void {
    const written = this.#written
    if (!written) return
    this.#written = undefined
    if (this.#silent) return
    for (const packet of packetsIn(written)) this.host.packet(packet)
  }

  destroy(error?: unknown): this {
    if (this.destroyed) return this
    this.uncork()
    this.destroyed = true
    this.#forget()
    process.nextTick(() => {
      this.client?.close()
      if (!this.#silent) this.host.released(error)
      this.#silent = true
    })
    return this
  }

  /** One that Aedes has not registered must not unregister another one of its name. */
  #forget(): void {
    if (this.client && !this.registered) this.client._authorized = false
  }
}

/** Of a stream that is open, as stream.finished() looks for them; one for all. */
Object.assign(Port.prototype, {
  readable: true,
  writable: true,
  _readableState: OPEN,
  _writableState: OPEN,
})

/** Without anything that is not Aedes' to know. */
function plain(packet: SessionPacket): SessionPacket {
  const { messageId } = packet
  switch (packet.cmd) {
    case 'connect': {
      const { clientId, clean = true } = packet
      const settled = { protocolId: 'MQTT', protocolVersion: 4, keepalive: 0 } as const
      return { cmd: 'connect', ...settled, clientId, clean }
    }
    case 'subscribe': {
      const named = packet.subscriptions.map(({ topic, qos }) => ({ topic: nameOf(topic), qos }))
      return { cmd: 'subscribe', messageId, subscriptions: named } as ISubscribePacket
    }
    case 'unsubscribe': {
      const unsubscriptions = packet.unsubscriptions.map(nameOf)
      return { cmd: 'unsubscribe', messageId, unsubscriptions } as IUnsubscribePacket
    }
    default:
      return { cmd: packet.cmd, messageId } as SessionPacket
  }
}

function packetsIn(pieces: readonly Buffer[]): Packet[] {
  // What Aedes could not write to its end must not be the beginning of another one's packet.
  if (reader.parse(joined(pieces)) > 0) reader = newReader()
  const packets = read
  read = []
  return packets
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
}

function nothing(): void {}

function newReader(): mqtt.Parser {
  const made = mqtt.parser({ protocolVersion: 4 })
  made.on('packet', (packet: Packet) => read.push(packet))
  made.on('error', () => {})
  return made
}
