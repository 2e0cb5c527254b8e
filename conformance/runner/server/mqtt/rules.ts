/** What holds for every MQTT connection, whatever a case is about. */
import type { JsonObject } from '@bufbuild/protobuf'
import type { IPublishPacket } from 'mqtt-packet'
import { codeNamed } from '../../codes.ts'
import { reasonOfReceipt } from './reasons.ts'
import { channelOfTopic, filterMatches, kindOfTopic, roomOfTopic } from './topics.ts'
import type { Version } from './wire.ts'

export class MqttRules {
  readonly violations: string[] = []
  readonly #version: Version
  /** Published by QoS 1 and 2 and not acknowledged, the oldest first. */
  readonly #unacknowledged: number[] = []
  /** Receipts that came before their acknowledgement, by packet id. */
  readonly #receipts = new Map<number, JsonObject>()
  /** QoS granted, by filter. */
  readonly #granted = new Map<string, number>()
  readonly #ids = new Set<string>()
  /** Last live sequences by room and epoch. */
  readonly #last = new Map<string, bigint>()
  #isLenient = false

  constructor(version: Version) {
    this.#version = version
  }

  broke(clause: string, what: string): void {
    if (!this.#isLenient) this.violations.push(`${clause}: ${what}`)
  }

  /** From now on bytes were sent that are not followed here. */
  lenient(): void {
    this.#isLenient = true
  }

  published({ messageId = 0, qos, dup }: IPublishPacket): void {
    const isAgain = dup && this.#unacknowledged.includes(messageId)
    if (qos > 0 && !isAgain) this.#unacknowledged.push(messageId)
  }

  granted(filter: string, qos: number): void {
    this.#granted.set(filter, qos)
  }

  receipt(packetId: number, receipt: JsonObject): void {
    if (this.#unacknowledged.includes(packetId)) this.#receipts.set(packetId, receipt)
  }

  /** PUBACK and PUBREC, in the order of the publishes, and as the receipt says (PH-17.8). */
  acknowledged(packetId: number, reason: number): void {
    const [next] = this.#unacknowledged
    if (next !== packetId) {
      this.broke('PH-17.8', `packet ${packetId} was acknowledged before ${next ?? 'any was sent'}`)
    }
    const at = this.#unacknowledged.indexOf(packetId)
    if (at >= 0) this.#unacknowledged.splice(at, 1)
    const receipt = this.#receipts.get(packetId)
    this.#receipts.delete(packetId)
    if (!receipt || this.#version === 4) return
    const expected = reasonOfReceipt(receipt)
    if (reason === expected) return
    const { status, code = '' } = receipt
    this.broke('PH-17.8', `reason ${reason} for ${status} ${code}, not ${expected}`)
  }

  heard(packet: IPublishPacket): void {
    const { topic, qos, dup, messageId = 0 } = packet
    if (qos > 0 !== messageId > 0) this.broke('PH-17.7', `QoS ${qos} with packet id ${messageId}`)
    if (qos === 0 && dup) this.broke('PH-17.7', 'DUP of QoS 0')
    if (/[#+]/.test(topic) || (topic.startsWith('$') && !kindOfTopic(topic.replace('json/', '')))) {
      this.broke('PH-17.2', `no topic that anybody publishes to: ${topic}`)
    }
    const granted = [...this.#granted]
      .filter(([filter]) => filterMatches(filter, topic))
      .map(([, most]) => most)
    if (granted.length > 0 && qos > Math.max(...granted)) {
      this.broke('PH-17.7', `QoS ${qos} of ${topic}, where ${Math.max(...granted)} was granted`)
    }
    if (!topic.startsWith('$')) this.#inOrder(packet)
  }

  /** PH-17.22: reason of DISCONNECT, as the code that was told says. */
  ended(code: string | undefined, reason: number | undefined): void {
    if (this.#version === 4 && reason !== undefined) {
      this.broke('PH-17.22', 'a DISCONNECT to MQTT 3.1.1')
    }
    if (this.#version === 5 && code && reason === undefined) {
      this.broke('PH-17.22', `an end without a DISCONNECT for ${codeNamed(code).name}`)
    }
  }

  #inOrder({ topic, dup, properties }: IPublishPacket): void {
    const told = (name: string) => properties?.userProperties?.[`porthouse-${name}`]
    const id = String(told('id') ?? '')
    if (id === '' || told('replay') !== undefined) return
    if (this.#ids.has(id) && !dup) this.broke('PH-6.9', `${id} came twice, without DUP`)
    this.#ids.add(id)
    if (told('sequence') === undefined) return
    const order = `${roomOfTopic(topic)} ${told('epoch')}`
    const sequence = BigInt(String(told('sequence')))
    const last = this.#last.get(order) ?? 0n
    if (sequence <= last && !dup) {
      const where = channelOfTopic(topic) || 'the room'
      this.broke('PH-6.14', `sequence ${sequence} to ${where} came after ${last}`)
    }
    this.#last.set(order, sequence)
  }
}
