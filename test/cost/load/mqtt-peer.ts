/** A peer that speaks MQTT 3.1.1. */
import type { Socket } from 'node:net'
import { generate, type Packet } from 'mqtt-packet'
import type { Arrivals } from './arrivals.ts'
import { type Entry, Peer, type Taken } from './peer.ts'

const CONNACK = 2
const PUBLISH = 3
const PUBACK = 4
const SUBACK = 9
const QOS = 0x06

let named = 0

export class MqttPeer extends Peer {
  readonly #room: string
  /** Of one read, to be sent together. */
  #acknowledgements: Packet[] = []

  /** Resolves when it is connected, and subscribed unless it only sends. */
  static async open(entry: Entry, arrivals: Arrivals): Promise<MqttPeer> {
    const { port, token, room, sendOnly, acknowledges } = entry
    const peer = new MqttPeer(await Peer.dial(port), arrivals, room)
    const connect = {
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      keepalive: 0,
      clientId: `cost-${++named}`,
      username: room.split('/')[0]!,
      password: Buffer.from(token),
    } as const
    const topic = sendOnly ? `${room}/nobody` : room
    const subscriptions = [{ topic, qos: acknowledges ? 1 : 0 }]
    const subscribe = { cmd: 'subscribe', messageId: 1, subscriptions } as Packet
    peer.send(Buffer.concat([generate(connect), generate(subscribe)]))
    await peer.entered.promise
    return peer
  }

  private constructor(socket: Socket, arrivals: Arrivals, room: string) {
    super(socket, arrivals)
    this.#room = room
  }

  publish(payload: Buffer, id = 0): Buffer {
    const packet = {
      cmd: 'publish',
      topic: this.#room,
      payload,
      dup: false,
      retain: false,
    } as const
    return generate(id > 0 ? { ...packet, qos: 1, messageId: id } : { ...packet, qos: 0 })
  }

  protected take(bytes: Buffer): Taken | undefined {
    let length = 0
    for (let at = 1; ; at++) {
      const byte = bytes[at]
      if (byte === undefined) return undefined
      length |= (byte & 0x7f) << (7 * (at - 1))
      if (byte >= 0x80) continue
      const body = at + 1
      const size = body + length
      return bytes.length < size ? undefined : { size, count: this.#packet(bytes, body) }
    }
  }

  protected override taken(): void {
    const packets = this.#acknowledgements.splice(0)
    if (packets.length > 0) this.send(Buffer.concat(packets.map((packet) => generate(packet))))
  }

  /** How much of what is due the first packet is. */
  #packet(bytes: Buffer, body: number): number {
    const kind = bytes[0]! >> 4
    if (kind === CONNACK && bytes[body + 1] !== 0) this.entered.reject(new Error('not let in'))
    if (kind === SUBACK) this.entered.resolve()
    if (kind === PUBLISH && (bytes[0]! & QOS) !== 0) {
      const messageId = bytes.readUInt16BE(body + 2 + bytes.readUInt16BE(body))
      this.#acknowledgements.push({ cmd: 'puback', messageId })
    }
    return kind === PUBLISH || kind === PUBACK ? 1 : 0
  }
}
