/**
 * One MQTT connection: the stage between its bytes and all that acts on packets. What the packets
 * of the session itself are about is Aedes' to keep (aedes/); messages go past it, in by publish.ts
 * and out by delivery/. See docs/decisions/0017.
 */
import { Code } from '@porthouse/proto/v1/code'
import type { Packet } from 'mqtt-packet'
import type { Handshake } from '../../locks/acceptor.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Flushable } from '../../router/turn.ts'
import { mayRead } from '../../session/receive.ts'
import type { Session } from '../../session/session.ts'
import type { Wire } from '../../session/wire.ts'
import { linger, SLOW_LINGER_MS } from '../linger.ts'
import type { Port, PortHost } from './aedes/port.ts'
import type { Agreed } from './connect/agreed.ts'
import { depart } from './connect/arrive.ts'
import { accepted, refuseConnection } from './connect/connack.ts'
import { handleAuth, handleConnect } from './connect/connect.ts'
import type { Login } from './connect/login.ts'
import type { Renewal } from './connect/renewal.ts'
import { Conversation } from './conversation.ts'
import { acknowledged } from './delivery/acknowledged.ts'
import type { MqttOutbox } from './delivery/outbox.ts'
import { Subscriptions } from './delivery/subscriptions.ts'
import { handleDisconnect, tellDisconnect } from './disconnect.ts'
import { mayHear } from './listen.ts'
import type { Carrier } from './listeners/serve.ts'
import type { MqttParts } from './parts.ts'
import { Incoming } from './publish.ts'
import { Subscribing } from './subscribe.ts'
import type { Version } from './wire/kind.ts'
import { MqttError, protocolError } from './wire/mqtt-error.ts'
import { PacketReader } from './wire/reader.ts'
import { encodeAck, encodeWithin } from './wire/write.ts'

/** How long the peer may take to read what was sent last, unless it reads too slowly. */
const LINGER_MS = 5_000

/** What a packet may hold before anything is unlocked, in bytes. */
const LIMBO_BYTES_MAX = 65_536

export class MqttConnection implements Wire, Flushable, PortHost {
  readonly isPlain = true
  readonly parts: MqttParts
  readonly stream: Carrier
  readonly handshake: Handshake
  readonly #reader: PacketReader
  /** `authenticating`: between CONNECT and CONNACK, and the client is to answer by AUTH. */
  state: 'new' | 'connecting' | 'authenticating' | 'connected' | 'closed' = 'new'
  /** Largest packet that the client takes, in bytes. */
  packetBytes = Number.POSITIVE_INFINITY
  /** What CONNECT and CONNACK settled. */
  agreed: Agreed | undefined
  session: Session | undefined
  /** From CONNECT to CONNACK. */
  login: Login | undefined
  /** Of a client that may prove more by AUTH. */
  renewal: Renewal | undefined
  /** Where Aedes keeps the session. */
  port: Port | undefined
  readonly conversation = new Conversation(this)
  readonly subscriptions = new Subscriptions()
  readonly incoming = new Incoming(this)
  readonly subscribing = new Subscribing(this)
  /** Read in this turn; mostly one chunk. */
  #chunk: Buffer | undefined
  #more: Buffer[] | undefined
  #waiting = 0
  #paused = false
  #idle: (() => void)[] | undefined
  #whenOver: (() => void)[] | undefined
  /** Of the DISCONNECT to come, where it is another than the code's. */
  #reason: number | undefined

  constructor(parts: MqttParts, stream: Carrier, handshake: Handshake) {
    this.parts = parts
    this.stream = stream
    this.handshake = handshake
    this.#reader = new PacketReader(this)
    stream.on('data', (chunk: Buffer) => this.#read(chunk))
    stream.on('drain', () => this.session?.outbox.drained())
    stream.on('pong', (position: number) => this.session?.outbox.answered(position))
    // What was read before the end is handled before it, and what it has begun.
    const end = () => {
      this.flush()
      this.whenIdle(() => this.ended())
    }
    // A reset is told as an error, and as a close only after what came meanwhile from others.
    for (const event of ['error', 'end', 'close']) stream.on(event, end)
  }

  /** What is sent to it, in the protocol's version. */
  get version(): Version {
    return this.#reader.version
  }

  /** That of the session, which is open from CONNECT on. */
  get outbox(): MqttOutbox {
    return this.session?.outbox as MqttOutbox
  }

  /** Resolves when it is over and what is to be kept of it is on its way. */
  get over(): Promise<void> {
    if (this.state === 'closed') return Promise.resolve()
    return new Promise((resolve) => {
      this.#whenOver ??= []
      this.#whenOver.push(resolve)
    })
  }

  bytesMax(): number {
    return this.session?.unlocked ? this.parts.options.packetBytes : LIMBO_BYTES_MAX
  }

  #read(chunk: Buffer): void {
    this.parts.core.counts.media.mqtt.bytesIn += chunk.length
    if (this.#more) this.#more.push(chunk)
    else if (this.#chunk) this.#more = [chunk]
    else {
      this.#chunk = chunk
      this.parts.core.turn.read(this)
    }
  }

  /** Handles what was read in this turn. */
  flush(): void {
    const chunk = this.#chunk
    const more = this.#more
    this.#chunk = undefined
    this.#more = undefined
    try {
      if (chunk) this.#reader.read(chunk)
      for (const each of more ?? []) this.#reader.read(each)
    } catch (error) {
      this.fail(error)
    }
  }

  #take(read: () => void): void {
    if (this.state === 'closed') return
    try {
      read()
    } catch (error) {
      this.fail(error)
    }
  }

  /** Takes no more packets until as many `go` as `hold` were called. */
  hold(): void {
    if (this.#waiting++ > 0) return
    this.#reader.hold()
    this.stream.pause()
  }

  go(): void {
    if (--this.#waiting > 0 || this.state === 'closed') return
    this.stream.resume()
    this.#take(() => this.#reader.go())
  }

  onPacket(packet: Packet): void {
    const { session } = this
    if (this.state === 'closed') return
    if (session) {
      this.parts.sessions.heard(session)
      if (!session.unlocked) {
        session.limboFrames++
        session.limboBytes += packet.length ?? 0
        if (!mayRead(session, 0)) return
      }
    }
    if (this.state === 'new') {
      if (packet.cmd === 'connect') return handleConnect(this, packet)
      throw protocolError('the first packet is not CONNECT')
    }
    if (this.state !== 'connected') return this.#early(packet)
    this.#act(packet)
  }

  /** Before CONNACK; what else comes waits by hold(). */
  #early(packet: Packet): void {
    if (this.state === 'authenticating' && packet.cmd === 'auth') {
      return handleAuth(this, packet)
    }
    if (packet.cmd === 'disconnect') return handleDisconnect(this, packet)
    throw protocolError('not before CONNACK')
  }

  #act(packet: Packet): void {
    switch (packet.cmd) {
      case 'publish':
        return this.incoming.take(packet)
      case 'pubrel':
        return this.incoming.release(packet)
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
        return acknowledged(this, packet)
      case 'subscribe':
        return this.subscribing.subscribe(packet)
      case 'unsubscribe':
        return this.subscribing.unsubscribe(packet)
      case 'pingreq':
        this.port?.send(packet)
        return
      case 'disconnect':
        return handleDisconnect(this, packet)
      case 'auth':
        return handleAuth(this, packet)
      default:
        throw protocolError(`no ${packet.cmd} from a client`)
    }
  }

  /** Sends a packet behind what was sent before. */
  send(packet: Packet): void {
    if (this.state === 'closed') return
    const bytes = encodeWithin(packet, this.version, this.packetBytes)
    if (!bytes) {
      // It would wait for ever for what must not be sent to it [MQTT-3.1.2-24].
      const detail = `${packet.cmd} is larger than the client takes`
      return this.session?.drop(Code.PACKET_TOO_LARGE, detail)
    }
    if (this.session && !this.session.closed) this.session.outbox.shared(bytes)
    else this.stream.write(bytes)
  }

  /** PUBACK or PUBREC, many of them a turn. */
  acknowledge(cmd: 'puback' | 'pubrec', messageId: number, reason: number): void {
    if (this.state !== 'closed') this.outbox.shared(encodeAck(cmd, messageId, reason, this.version))
  }

  /** Ends the connection by what was thrown. */
  fail(error: unknown): void {
    const { session } = this
    if (this.state === 'closed') return
    if (error instanceof MqttError) {
      this.#end(error.code, error.detail, error.reason)
    } else if (session) session.fail(error)
    else if (error instanceof Refusal) this.#end(error.code, error.detail)
    else {
      this.parts.log.error({ err: error }, 'an MQTT packet could not be handled')
      this.#end(Code.INTERNAL, 'internal error')
    }
  }

  #end(code: Code, detail: string, reason?: number): void {
    this.#reason = reason
    if (this.session) this.session.drop(code, detail)
    else this.close(code, detail)
  }

  // What Aedes asks and says.

  async subscribe(topic: string, qos: 0 | 1 | 2, restored: boolean): Promise<boolean> {
    const may = await this.subscribing.mayListen(topic, qos, restored)
    if (restored) await this.parts.kept.restored()
    // It is not refused because it came too late.
    if (this.state === 'closed') throw new Error('the connection is gone')
    return may
  }

  mayHear(topic: string, wasSent: boolean): boolean {
    // Aedes asks on for a while when it is over, and throws away what nobody may hear.
    return this.state === 'closed' || mayHear(this, topic, wasSent)
  }

  optionsOf(topic: string) {
    return this.parts.kept.storedOptionsOf(this, topic)
  }

  /** An answer of Aedes, or a kept message. */
  packet(packet: Packet): void {
    if (this.state === 'closed') return
    switch (packet.cmd) {
      case 'connack':
        this.parts.kept.there(this)
        return accepted(this, packet)
      case 'suback':
        return this.subscribing.subscribed(packet)
      case 'unsuback':
        return this.subscribing.unsubscribed(packet)
      case 'publish':
      case 'pubrel':
        return this.outbox.kept(packet)
      default:
        return this.send(packet)
    }
  }

  /** Aedes has given all that was kept. */
  ready(): void {
    if (this.state === 'closed') return
    this.outbox.resumed()
    this.parts.kept.delivered(this)
  }

  /** Aedes has let the connection go: another took the session over, or the store is away. */
  released(error: unknown): void {
    if (!error) return this.session?.drop(Code.REPLACED, 'the client id has connected anew')
    this.parts.log.warn({ err: error, session: this.agreed?.key }, 'an MQTT session has failed')
    this.session?.drop(Code.UNAVAILABLE, 'the session cannot be kept')
  }

  // What the session asks of its wire.

  write(bytes: Buffer): void {
    if (this.stream.writable) this.stream.write(bytes)
  }

  get buffered(): number {
    return this.stream.writableLength
  }

  leaving(): void {
    this.parts.shares.leave(this)
    this.parts.kept.leave(this)
  }

  pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.hold()
  }

  resume(): void {
    const idle = this.#idle
    this.#idle = undefined
    for (const run of idle ?? []) this.whenIdle(run)
    if (!this.#paused) return
    this.#paused = false
    this.go()
  }

  get paused(): boolean {
    return this.#waiting > 0
  }

  /** Calls back once nothing is under way in the session, which may be now. */
  whenIdle(run: () => void): void {
    if (!this.session?.busy) return this.#take(run)
    this.#idle ??= []
    this.#idle.push(run)
  }

  /** MQTT's server asks for no signs of life, but what carries it may: see patienceMs. */
  ping(position: number): boolean {
    return this.stream.ping?.(position) ?? false
  }

  /** One and a half keep alives [MQTT-3.1.2-22]; without one it may be silent for ever. */
  get patienceMs(): number {
    const seconds = this.agreed?.keepAlive ?? 0
    return seconds === 0 ? Number.POSITIVE_INFINITY : seconds * 1_500
  }

  close(code: Code, detail: string): void {
    if (this.state === 'closed') return
    const isConnected = this.state === 'connected'
    if (isConnected) tellDisconnect(this, code, detail, this.#reason)
    else refuseConnection(this, code, detail, this.#reason)
    this.ended()
    this.stream.end()
    // Who reads nothing any more would stay for ever.
    const graceMs = code === Code.SLOW_CONSUMER ? SLOW_LINGER_MS : LINGER_MS
    linger(this.stream, 'close', graceMs, () => this.stream.destroy())
  }

  terminate(): void {
    this.ended()
    this.stream.destroy()
  }

  get closed(): Promise<void> {
    if (this.stream.closed) return Promise.resolve()
    return new Promise((resolve) => this.stream.once('close', () => resolve()))
  }

  /** The connection is over, whoever ended it. */
  ended(): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.#reader.stop()
    this.leaving()
    this.session?.end()
    this.port?.close()
    depart(this)
    for (const run of this.#whenOver ?? []) run()
  }
}
