/** Tests that name the normative statements they prove; docs/mqtt/normative.md lists them by it. */
import { generate, type IConnackPacket, type Packet } from 'mqtt-packet'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { TestSettings } from '../../support/gateway.ts'
import { type ConnectInit, MqttClient, resetMqttClients } from '../../support/mqtt-client.ts'
import { DURABLE_ROOM, ROOM, startTarget, type Target } from './target.ts'

/** Numbers of statements, by blanks apart, of the versions that the test runs with. */
export interface Proven {
  readonly v311?: string
  readonly v5?: string
}

export type Prove = (title: string, proven: Proven, run: (at: Site) => Promise<void>) => void

/** `proves` of a file, whose tests share one gateway with these settings. */
export function prover(settings: TestSettings = {}, start = startTarget): Prove {
  let target: Target
  beforeAll(async () => {
    target = await start(settings)
  })
  afterEach(resetMqttClients)
  afterAll(() => target?.stop())
  const add = (title: string, name: string, version: 4 | 5, proven: Proven, run: Run) => {
    const numbers = version === 5 ? proven.v5 : proven.v311
    if (numbers === undefined) return
    const ids = numbers.split(' ').map((number) => `[MQTT-${number}]`)
    test(`MQTT ${name}: ${title} ${ids.join(' ')}`, () => run(new Site(target, version)))
  }
  return (title, proven, run) => {
    add(title, '3.1.1', 4, proven, run)
    add(title, '5', 5, proven, run)
  }
}

type Run = (at: Site) => Promise<void>

const FLAGS_AFTER_NAME = 5
const CLEAN = 0x02

let named = 0

/** Where one test is: its version, and names that no other test has. */
export class Site {
  readonly version: 4 | 5
  /** A channel of a room that keeps nothing. */
  readonly topic: string
  /** The same in a durable room and in the other. */
  readonly topics: readonly string[]
  readonly target: Target

  constructor(target: Target, version: 4 | 5) {
    this.target = target
    this.version = version
    const channel = this.name()
    this.topic = `${ROOM}/${channel}`
    this.topics = [this.topic, `${DURABLE_ROOM}/${channel}`]
  }

  get five(): boolean {
    return this.version === 5
  }

  /** A client identifier or level of a topic. */
  name(): string {
    return `n${++named}`
  }

  /** A connection on which nothing has been said. */
  open(): Promise<MqttClient> {
    return MqttClient.open(this.target.port, { version: this.version })
  }

  /** A connection on which bytes are written before anything is awaited. */
  async wrote(bytes: Uint8Array): Promise<MqttClient> {
    const client = await this.open()
    client.write(bytes)
    return client
  }

  /** A client that was accepted. */
  async client(init: ConnectInit = {}): Promise<MqttClient> {
    return (await this.enter(init)).client
  }

  /** The same, with the CONNACK. */
  async enter(init: ConnectInit = {}): Promise<{ client: MqttClient; connack: IConnackPacket }> {
    const { client, connack } = await this.asks(init)
    expect(this.five ? connack.reasonCode : connack.returnCode).toBe(0)
    return { client, connack }
  }

  /** A client with whatever answer it got. */
  async asks(init: ConnectInit): Promise<{ client: MqttClient; connack: IConnackPacket }> {
    const client = await this.open()
    client.write(this.connectBytes(init))
    return { client, connack: await client.next('connack') }
  }

  /** CONNECT of a session that outlives its connection. */
  kept(clientId: string, init: ConnectInit = {}): ConnectInit {
    if (!this.five) return { clientId, clean: false, ...init }
    const properties = { sessionExpiryInterval: 600, ...init.properties }
    return { clientId, clean: false, ...init, properties }
  }

  /** A CONNECT as it goes over the wire, perhaps to be spoilt. */
  connectBytes(init: ConnectInit = {}): Buffer {
    const { password, clean = true, ...rest } = { ...this.target.credentials, ...init }
    const bytes = this.bytes({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: this.version,
      clean: true,
      keepalive: 0,
      clientId: this.name(),
      ...rest,
      ...(password !== undefined && { password: Buffer.from(password) }),
    })
    // The packet library would not write what is wrong in MQTT 3.1.1.
    if (!clean) bytes[bytes.indexOf('MQTT') + FLAGS_AFTER_NAME]! ^= CLEAN
    return bytes
  }

  bytes(packet: Packet): Buffer {
    return generate(packet, { protocolVersion: this.version })
  }

  /** The connection ends, with no packet but DISCONNECT of a reason, which MQTT 5 alone has. */
  async ends(client: MqttClient, ...reasons: number[]): Promise<void> {
    const told = (await client.rest()).map((packet) => codeOf(packet))
    if (!this.five) expect(told).toEqual([])
    else if (told.length > 0 || !this.target.lenient) {
      expect(told).toHaveLength(1)
      expect(reasons.map((reason) => `disconnect ${hex(reason)}`)).toContain(told[0])
    }
  }

  /** The CONNECT is refused: MQTT 3.1.1 with this CONNACK or none, MQTT 5 with one of these. */
  async refuses(client: MqttClient, returnCode?: number, ...reasons: number[]): Promise<void> {
    const told = (await client.rest()).map((packet) => codeOf(packet))
    const [allowed, silent] = this.five
      ? [reasons, this.target.lenient]
      : [returnCode === undefined ? [] : [returnCode], returnCode === undefined]
    if (told.length === 0 && silent) return
    expect(told).toHaveLength(1)
    expect(allowed.map((code) => `connack ${hex(code)}`)).toContain(told[0])
  }

  /** Resolves when so much time has passed at the server: a will with a delay is its clock. */
  async seconds(delay: number): Promise<void> {
    const topic = `${ROOM}/${this.name()}`
    const watcher = await this.client()
    await watcher.subscribe(topic)
    const properties = { willDelayInterval: delay }
    const will = { topic, payload: Buffer.from('now'), qos: 0 as const, retain: false, properties }
    const client = await this.client({ ...this.kept(this.name()), will })
    client.reset()
    await watcher.message()
  }
}

function codeOf(packet: Packet): string {
  const { reasonCode, returnCode } = packet as Partial<IConnackPacket>
  return `${packet.cmd} ${hex(reasonCode ?? returnCode ?? 0)}`
}

function hex(code: number): string {
  return `0x${code.toString(16)}`
}
