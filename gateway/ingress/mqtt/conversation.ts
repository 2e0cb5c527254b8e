/**
 * What the session says to this socket alone: the answer to something that the stage asked, by its
 * frame id, or news for whoever listens to the reserved topics.
 */
import { Code } from '@porthouse/proto/v1/code'
import type { Frame } from '@porthouse/proto/v1/frame'
import type { QoS } from 'mqtt-packet'
import { Refusal } from '../../protocol/codes.ts'
import { askAgain } from '../../session/locks/locks.ts'
import { receive } from '../../session/receive.ts'
import { EVENTS_CAPABILITY } from '../../session/technical/technical.ts'
import { framesOf, packetOf } from '../packet.ts'
import { jsonOfPacket, packetOfJson } from '../packet-json.ts'
import type { MqttConnection } from './connection.ts'
import {
  formatReserved,
  kindOfFrame,
  type ReservedKind,
  type ReservedTopic,
} from './mapping/reserved.ts'

/** Frame ids of the stage's own questions; clients choose theirs as they like, mostly low. */
const FIRST_ID = 0x8000_0000
const LAST_ID = 0xffff_ffff

/** Requests of the client whose topic is remembered, so that a refusal is told there. */
const ASKED_MAX = 64

/** Takes frames with the id of its question; true: it was the last one. */
type Answer = (frame: Frame) => boolean

export class Conversation {
  readonly #connection: MqttConnection
  #pending: Map<number, Answer> | undefined
  #next = FIRST_ID
  /** QoS by topic as written. */
  #listening: Map<string, QoS> | undefined
  #asked: Map<number, ReservedKind> | undefined
  /**
   * While the client authenticates: hears what answers no question of the stage; true: it is for
   * nobody else.
   */
  overheard: ((frame: Frame) => boolean) | undefined

  constructor(connection: MqttConnection) {
    this.#connection = connection
  }

  /** Asks something of the session under a frame id of its own. */
  ask(question: (frameId: number) => void, answer: Answer): void {
    const id = this.#next
    this.#next = id === LAST_ID ? FIRST_ID : id + 1
    this.#pending ??= new Map()
    this.#pending.set(id, answer)
    question(id)
  }

  /** Takes a frame of the session. */
  hear(frame: Frame): void {
    const answer = this.#pending?.get(frame.id)
    if (!answer) return this.overheard?.(frame) ? undefined : this.#tell(frame)
    // A challenge on the way to the answer is for whoever can meet it, who did not ask by this id.
    if (frame.body.case === 'lockStep') {
      this.#tell({ ...frame, id: 0 })
      this.#connection.subscribing.meetsLock()
    }
    if (answer(frame)) this.#pending?.delete(frame.id)
    if (this.#pending?.size === 0) this.#pending = undefined
  }

  listen(topic: ReservedTopic, qos: QoS): void {
    this.#listening ??= new Map()
    this.#listening.set(formatReserved(topic), qos)
    const { session } = this.#connection
    if (!session) return
    if (topic.kind === 'lock') askAgain(session)
    if (topic.kind !== 'event') return
    session.capabilities = new Set([...session.capabilities, EVENTS_CAPABILITY])
  }

  /** Whether it was listening there. */
  unlisten(topic: ReservedTopic): boolean {
    const wasListening = this.#listening?.delete(formatReserved(topic)) ?? false
    const { session } = this.#connection
    if (topic.kind === 'event' && session && !this.hears('event')) {
      const others = [...session.capabilities].filter((each) => each !== EVENTS_CAPABILITY)
      session.capabilities = new Set(others)
    }
    return wasListening
  }

  /** Whether anybody would hear what is told there. */
  hears(kind: ReservedKind): boolean {
    // Asked with each message, of clients that mostly listen to nothing here.
    if (!this.#listening) return false
    return [false, true].some((json) => this.#listening?.has(formatReserved({ kind, json })))
  }

  /** Whether a lock can be met: what it asks is heard, or it looks at what came with HTTP (R7). */
  get meetsLocks(): boolean {
    const { handshake } = this.#connection
    return this.hears('lock') || Object.keys(handshake.headers).length > 0
  }

  /** Takes a Packet that the client has published. Throws Refusal, or as `receive` ends it. */
  take({ kind, json }: ReservedTopic, payload: Buffer): void {
    const { session } = this.#connection
    if (!session) return
    if (!session.unlocked && kind !== 'lock') {
      throw new Refusal(Code.UNAUTHENTICATED, 'nothing is unlocked yet')
    }
    const packet = json ? packetOfJson(payload.toString()) : Buffer.from(payload)
    for (const { id, body } of framesOf(packet)) {
      if (kindOfFrame({ body } as Frame) !== kind) {
        throw new Refusal(Code.FRAME_NOT_ALLOWED, `a frame that does not belong to ${kind}`)
      }
      this.#remember(id, kind)
    }
    receive(session, packet)
  }

  /** Tells a Packet of frames of one kind. */
  tell(kind: ReservedKind, packet: Buffer): void {
    for (const json of [false, true]) {
      const topic = formatReserved({ kind, json })
      const qos = this.#listening?.get(topic)
      if (qos === undefined) continue
      const payload = json ? Buffer.from(jsonOfPacket(packet)) : packet
      this.#connection.outbox.publish(topic, payload, qos)
    }
  }

  #tell(frame: Frame): void {
    if (!this.#listening) return
    const kind = kindOfFrame(frame, this.#asked?.get(frame.id))
    if (!this.hears(kind)) return
    this.tell(kind, packetOf([frame]))
  }

  #remember(id: number, kind: ReservedKind): void {
    if (id === 0) return
    this.#asked ??= new Map()
    this.#asked.set(id, kind)
    const [oldest] = this.#asked.keys()
    if (this.#asked.size > ASKED_MAX && oldest !== undefined) this.#asked.delete(oldest)
  }
}
