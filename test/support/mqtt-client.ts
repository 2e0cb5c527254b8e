/**
 * An MQTT client on a bare stream: it sends any packet or bytes, right or wrong, and does nothing
 * by itself, so that a test says each acknowledgement it wants sent.
 */
import { once } from 'node:events'
import { connect, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import {
  generate,
  type IConnackPacket,
  type IConnectPacket,
  type IPublishPacket,
  type ISubscription,
  type Packet,
  type PacketCmd,
  parser,
} from 'mqtt-packet'

/** 3 is MQTT 3.1, 4 is MQTT 3.1.1. */
export type Version = 3 | 4 | 5

export type PacketOf<Cmd extends PacketCmd> = Extract<Packet, { cmd: Cmd }>

export type ConnectInit = Partial<Omit<IConnectPacket, 'cmd' | 'password'>> & {
  readonly password?: string | Buffer
}

export interface MqttOptions {
  readonly version?: Version
  /** The address of this machine to come from, such as 127.0.0.2. */
  readonly from?: string
  /** Outlives resetMqttClients. */
  readonly kept?: boolean
}

const live = new Set<MqttClient>()

/** Ends whatever is still open; for afterEach. */
export function resetMqttClients(): void {
  for (const client of live) client.reset()
}

export class MqttClient {
  readonly version: Version
  /** Resolves when the connection is over, however that came. */
  readonly ended: Promise<void>
  readonly #stream: Duplex
  /** Come, and not yet asked for. */
  readonly #packets: Packet[] = []
  #wake = Promise.withResolvers<void>()
  #over = false
  #error: unknown
  #messageId = 0

  /** A TCP connection, on which nothing has been said yet. */
  static async open(port: number, options: MqttOptions = {}): Promise<MqttClient> {
    const { from } = options
    const host = '127.0.0.1'
    const socket = connect({ port, host, ...(from && { localAddress: from }) }).setNoDelay()
    await once(socket, 'connect')
    return new MqttClient(socket, options)
  }

  /** A TCP connection whose CONNECT was accepted. Rejects with the CONNACK's code where not. */
  static async connected(
    port: number,
    { version = 4, ...init }: ConnectInit & { version?: Version } = {},
  ): Promise<MqttClient> {
    const client = await MqttClient.open(port, { version })
    const { returnCode, reasonCode } = await client.connect(init)
    const code = version === 5 ? reasonCode : returnCode
    if (code !== 0) throw new Error(`CONNACK says ${code}`)
    return client
  }

  /** Over any stream, such as that of TLS or of a WebSocket. */
  constructor(stream: Duplex, { version = 4, kept = false }: MqttOptions = {}) {
    this.#stream = stream
    this.version = version
    if (!kept) live.add(this)
    const parsed = parser({ protocolVersion: version })
    parsed.on('packet', (packet) => this.#packets.push(packet))
    parsed.on('error', (error) => {
      this.#error = error
    })
    stream.on('data', (chunk: Buffer) => {
      parsed.parse(chunk)
      this.#stir()
    })
    // A reset is an end like any other.
    stream.on('error', () => undefined)
    this.ended = new Promise((resolve) => stream.once('close', resolve)).then(() => {
      this.#over = true
      live.delete(this)
      this.#stir()
    })
  }

  /** What has come and was not asked for. */
  get waiting(): readonly Packet[] {
    return this.#packets
  }

  /** Sends bytes as they are; text is hexadecimal, blanks apart. */
  write(bytes: Uint8Array | string): void {
    const isHex = typeof bytes === 'string'
    this.#stream.write(isHex ? Buffer.from(bytes.replaceAll(/\s/g, ''), 'hex') : bytes)
  }

  send(packet: Packet): void {
    this.write(generate(packet, { protocolVersion: this.version }))
  }

  /** Sends CONNECT, by default as `device-…` for a clean session, and gives the answer to it. */
  async connect(init: ConnectInit = {}): Promise<IConnackPacket> {
    this.sendConnect(init)
    return this.next('connack')
  }

  sendConnect({ password, ...init }: ConnectInit = {}): void {
    this.send({
      cmd: 'connect',
      protocolId: this.version === 3 ? 'MQIsdp' : 'MQTT',
      protocolVersion: this.version,
      clean: true,
      keepalive: 0,
      clientId: `device-${uniqueName()}`,
      ...(password !== undefined && { password: Buffer.from(password) }),
      ...init,
    })
  }

  /**
   * The next packet; with `cmd`, the first of that kind: others stay for those who ask for them.
   * Rejects where the connection ends before.
   */
  async next(): Promise<Packet>
  async next<Cmd extends PacketCmd>(cmd: Cmd): Promise<PacketOf<Cmd>>
  async next(cmd?: PacketCmd): Promise<Packet> {
    for (;;) {
      const at = this.#packets.findIndex((packet) => cmd === undefined || packet.cmd === cmd)
      const [packet] = at === -1 ? [] : this.#packets.splice(at, 1)
      if (packet) return packet
      if (this.#error) throw this.#error
      if (this.#over) throw new Error(`ended before ${cmd ?? 'a packet'} came`)
      await this.#wake.promise
    }
  }

  /** All that still comes until the connection ends. */
  async rest(): Promise<Packet[]> {
    await this.ended
    return this.#packets.splice(0)
  }

  /** All that came before the answer to a PINGREQ: what is to be heard has been heard by then. */
  async settled(): Promise<Packet[]> {
    this.send({ cmd: 'pingreq' })
    const heard: Packet[] = []
    for (;;) {
      const packet = await this.next()
      if (packet.cmd === 'pingresp') return heard
      heard.push(packet)
    }
  }

  /** Subscribes, and gives the codes of the SUBACK. */
  async subscribe(
    filters: string | readonly (string | ISubscription)[],
    qos: 0 | 1 | 2 = 0,
    properties?: PacketOf<'subscribe'>['properties'],
  ): Promise<number[]> {
    const subscriptions = [filters]
      .flat()
      .map((one) => (typeof one === 'string' ? { topic: one, qos } : one)) as ISubscription[]
    const messageId = this.nextId()
    this.send({ cmd: 'subscribe', messageId, subscriptions, ...(properties && { properties }) })
    return (await this.next('suback')).granted as number[]
  }

  /** Unsubscribes, and gives the codes of the UNSUBACK; MQTT 3.1.1 has none. */
  async unsubscribe(...unsubscriptions: string[]): Promise<number[]> {
    this.send({ cmd: 'unsubscribe', messageId: this.nextId(), unsubscriptions })
    return (await this.next('unsuback')).granted ?? []
  }

  /** Sends PUBLISH and waits for nothing; gives its packet identifier. */
  sendPublish(
    topic: string,
    payload: string | Buffer,
    { qos = 0, ...init }: Partial<IPublishPacket> = {},
  ): number {
    const messageId = qos === 0 ? 0 : (init.messageId ?? this.nextId())
    const id = qos === 0 ? {} : { messageId }
    this.send({ cmd: 'publish', topic, payload, dup: false, retain: false, ...init, qos, ...id })
    return messageId
  }

  /**
   * Publishes to the end of its QoS; gives the reason code of PUBACK or PUBREC (0 in 3.1.1), and
   * undefined for QoS 0, to which nothing is said.
   */
  async publish(
    topic: string,
    payload: string | Buffer,
    init: Partial<IPublishPacket> = {},
  ): Promise<number | undefined> {
    const messageId = this.sendPublish(topic, payload, init)
    if (!init.qos) return undefined
    if (init.qos === 1) return (await this.next('puback')).reasonCode ?? 0
    const { reasonCode = 0 } = await this.next('pubrec')
    if (reasonCode >= 0x80) return reasonCode
    this.send({ cmd: 'pubrel', messageId })
    await this.next('pubcomp')
    return reasonCode
  }

  /** The next PUBLISH, acknowledged to the end of its QoS. */
  async message(): Promise<IPublishPacket> {
    const packet = await this.next('publish')
    const { qos, messageId } = packet
    if (qos === 1) this.send({ cmd: 'puback', messageId: messageId as number })
    if (qos === 2) {
      this.send({ cmd: 'pubrec', messageId: messageId as number })
      await this.next('pubrel')
      this.send({ cmd: 'pubcomp', messageId: messageId as number })
    }
    return packet
  }

  nextId(): number {
    this.#messageId = (this.#messageId % 0xffff) + 1
    return this.#messageId
  }

  /** Stops to read, so that what the gateway writes fills the way to here. */
  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  /** Leaves as a client does that has no more to say. */
  async disconnect(): Promise<void> {
    this.send({ cmd: 'disconnect' } as Packet)
    this.#stream.end()
    await this.ended
  }

  /** Ends without a word, by a TCP reset where it is TCP: the network has gone. */
  reset(): void {
    const stream = this.#stream
    if (stream instanceof Socket && !(stream instanceof TLSSocket)) stream.resetAndDestroy()
    else stream.destroy()
  }

  #stir(): void {
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }
}

let named = 0

function uniqueName(): string {
  return `${process.pid}-${++named}`
}
