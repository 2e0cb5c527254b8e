/**
 * What holds for every connection whatever a case is about: the rules that the reference client
 * checks on each frame that a gateway sends it.
 */
import type { Frame } from '@porthouse/proto/v1/frame'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { codeNamed } from '../codes.ts'
import { kindOf, maySend, type Sendable } from '../frame-kind.ts'

/** Frames that a gateway may send (PH-3.2), of those that have an action by it. */
const FROM_GATEWAY: Sendable = {
  welcome: undefined,
  receipt: undefined,
  envelope: undefined,
  drop: undefined,
  event: undefined,
  resume: undefined,
  lockStep: ['challenge', 'verdict'],
  room: [
    'joined',
    'left',
    'lost',
    'caughtUp',
    'fetched',
    'members',
    'cursor',
    'presence',
    'changed',
  ],
  command: ['done', 'sockets', 'rooms', 'clients', 'stats', 'unread'],
}

/** Answers that are not the last one to their request. */
const GOES_ON = ['envelope', 'challenge']

export class WireRules {
  readonly violations: string[] = []
  /** What was asked and is not answered, by id. */
  readonly #open = new Map<number, string>()
  /** Routes' epochs and last live sequences. */
  readonly #last = new Map<string, bigint>()
  readonly #ids = new Set<string>()
  #frames = 0
  #isLenient = false
  #isOver = false

  broke(clause: string, what: string): void {
    this.violations.push(`${clause}: ${what}`)
  }

  /** From now on bytes were sent whose ids are not known here. */
  lenient(): void {
    this.#isLenient = true
  }

  sent({ id, body }: Frame): void {
    if (id !== 0) this.#open.set(id, kindOf(body))
  }

  came(frame: Frame): void {
    const { id, body } = frame
    if (this.#isOver) this.broke('PH-3.5', 'a frame after the last Drop')
    const kind = kindOf(body)
    if (!maySend(FROM_GATEWAY, body)) this.broke('PH-3.2', `a gateway does not send ${kind}`)
    if (kind === 'welcome' && this.#frames > 0) this.broke('PH-3.2', 'Welcome is not the first')
    this.#frames++
    if (id !== 0) this.#answered(id, kind, frame)
    if (body.case === 'envelope') this.#heard(frame)
    if (body.case === 'drop' && id === 0) this.#isOver = true
  }

  /** PH-9.2 */
  closed(code: string, closeCode: number): void {
    const expected = code === '' ? 1000 : codeNamed(code).websocketClose
    if (closeCode !== expected) {
      this.broke('PH-9.2', `closed with ${closeCode} after ${code}, not ${expected}`)
    }
  }

  #answered(id: number, kind: string, { body }: Frame): void {
    if (this.#isLenient) return
    const asked = this.#open.get(id)
    if (asked === undefined) {
      this.broke('PH-2.4', `${kind} with id ${id}, which nothing waits for`)
      return
    }
    if (GOES_ON.includes(kind) || (asked === 'join' && kind === 'verdict')) return
    // PH-8.1: after ACCEPTED a REJECTED may follow.
    if (body.case === 'receipt' && body.value.status === ReceiptStatus.ACCEPTED) return
    this.#open.delete(id)
  }

  #heard({ id, body }: Frame): void {
    if (body.case !== 'envelope') return
    const { routing, stamp } = body.value
    if (routing) this.broke('PH-6.1', 'a receiver sees the routing')
    if (!stamp) return this.broke('PH-6.2', 'a message without a stamp')
    if (stamp.id.length !== 16 || stamp.id[6]! >> 4 !== 7) {
      this.broke('PH-6.13', 'the id of a message is no UUIDv7')
    }
    if (id !== 0 || stamp.replay !== 0) return
    // To several destinations it is one message (PH-6.13).
    const key = `${Buffer.from(stamp.id).toString('hex')} ${stamp.route} ${stamp.target}`
    if (this.#ids.has(key)) this.broke('PH-6.9', 'one message came twice')
    this.#ids.add(key)
    if (stamp.route === 0) return
    const order = `${stamp.route} ${stamp.epoch}`
    const last = this.#last.get(order) ?? 0n
    if (stamp.sequence <= last) {
      this.broke('PH-6.14', `sequence ${stamp.sequence} came after ${last}`)
    }
    this.#last.set(order, stamp.sequence)
  }
}
