/** What stands behind a port in tests, in the place of the stage. */
import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import type { IPublishPacket, ISubackPacket, Packet, QoS } from 'mqtt-packet'
import { Broker } from '../../../gateway/ingress/mqtt/aedes/broker.ts'
import type { Port, PortHost } from '../../../gateway/ingress/mqtt/aedes/port.ts'
import { Uuid7Source } from '../../../gateway/protocol/uuid7.ts'
import { Graph } from '../../../gateway/router/graph.ts'
import { Turn } from '../../../gateway/router/turn.ts'
import type { NewQueued } from '../../../gateway/store/mqtt-sessions.ts'
import { silent } from '../../store/process.ts'
import { limits } from '../../support/limits.ts'
import { MemoryStore } from '../../support/memory-store.ts'

export class TestHost extends EventEmitter implements PortHost {
  port!: Port
  /** What it has got and was not taken. */
  readonly packets: Packet[] = []
  /** In order, what was asked of it and what came. */
  readonly course: string[] = []
  refused: readonly string[] = []
  /** Topics of kept messages that it may not hear. */
  deaf: readonly string[] = []
  /** Answers are held back until it resolves. */
  gate: Promise<void> = Promise.resolve()
  /** Instead of an answer. */
  failure: Error | undefined
  released_: { error: unknown } | undefined

  async subscribe(topic: string, qos: QoS, restored: boolean): Promise<boolean> {
    this.course.push(`${restored ? 'restore' : 'subscribe'} ${topic} ${qos}`)
    await this.gate
    if (this.failure) throw this.failure
    return !this.refused.includes(topic)
  }

  mayHear(topic: string): boolean {
    return !this.deaf.includes(topic)
  }

  optionsOf() {
    return undefined
  }

  packet(packet: Packet): void {
    this.course.push(packet.cmd)
    this.packets.push(packet)
    this.emit('packet')
  }

  ready(): void {}

  released(error: unknown): void {
    this.released_ = { error }
    this.emit('released')
  }

  async next<Cmd extends Packet['cmd']>(cmd: Cmd): Promise<Packet & { cmd: Cmd }> {
    for (;;) {
      const at = this.packets.findIndex((packet) => packet.cmd === cmd)
      if (at >= 0) return this.packets.splice(at, 1)[0] as Packet & { cmd: Cmd }
      await once(this, 'packet')
    }
  }

  async publish(): Promise<IPublishPacket> {
    return (await this.next('publish')) as IPublishPacket
  }

  async untilReleased(): Promise<unknown> {
    if (!this.released_) await once(this, 'released')
    return this.released_?.error
  }

  async connect(clientId: string, clean = true): Promise<Packet> {
    this.port.send({ cmd: 'connect', clientId, clean })
    return this.next('connack')
  }

  async listen(...topics: string[]): Promise<number[]> {
    const subscriptions = topics.map((topic) => ({ topic, qos: 1 as const }))
    this.port.send({ cmd: 'subscribe', messageId: 1, subscriptions })
    const { granted } = (await this.next('suback')) as ISubackPacket
    return granted as number[]
  }
}

/** A broker over a store in memory. */
export class TestBroker {
  readonly store = new MemoryStore()
  readonly graph = new Graph()
  readonly turn = new Turn(setImmediate, () => performance.now())
  broker!: Broker

  static async open(): Promise<TestBroker> {
    const world = new TestBroker()
    const { store, graph, turn } = world
    const ids = new Uuid7Source(Date.now, randomBytes)
    const bounds = { messages: 1_000, bytes: 1_000_000 }
    world.broker = await Broker.open({ store, graph, turn, ids, limits, bounds, log: silent })
    return world
  }

  host(): TestHost {
    const host = new TestHost()
    host.port = this.broker.attach(host)
    return host
  }

  /** The stage opens sessions before Aedes hears of them. */
  async session(key: string): Promise<void> {
    const session = { key, principal: 'test', clientId: key, expiryS: 1_000 }
    await this.store.mqttSessions.open(session, new Date())
  }

  /** A host whose session is kept. */
  async kept(key: string, set: (host: TestHost) => void = () => {}): Promise<TestHost> {
    await this.session(key)
    const host = this.host()
    set(host)
    await host.connect(key, false)
    return host
  }

  async keep(key: string, ...messages: Partial<NewQueued>[]): Promise<void> {
    const whole = { key, topic: 'acme/hall', qos: 1 as const, body: Buffer.from('kept') }
    const bounds = { messages: 1_000, bytes: 1_000_000 }
    const added = messages.map((message) => ({ ...whole, ...message }))
    await this.store.mqttSessions.queue.add(added, bounds)
  }

  queue(key: string) {
    const all = { limit: 1_000, bytes: 1e9, at: new Date() }
    return this.store.mqttSessions.queue.page(key, all)
  }

  subscriptions(key: string) {
    return this.store.mqttSessions.subscriptions.list(key)
  }
}
