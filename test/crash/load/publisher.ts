/** Sends at a steady rate with receipts of level stored, and writes down what it was told. */
import { randomBytes } from 'node:crypto'
import { Code } from '@porthouse/proto/v1/code'
import type { Frame } from '@porthouse/proto/v1/frame'
import { type Receipt, ReceiptLevel, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { codeInfo } from '../../../gateway/protocol/codes.ts'
import { type FrameInit, join } from '../../support/client-frames.ts'
import { type Journal, Sent } from '../journal.ts'
import { Line, OWN_IDS, type Way } from './line.ts'

export interface PublisherOptions {
  readonly way: Way
  readonly journal: Journal
  readonly room: string
  readonly name: string
  readonly perSecond: number
  /**
   * Every message has an idempotency key, and what has no answer when a connection ends is sent
   * again on the next one, before anything new.
   */
  readonly keyed?: boolean
  /** Of each message, about; 120 where absent. */
  readonly bytes?: number
}

const TICK_MS = 10
const RETRY_MS = 200
/** Unanswered at once; beyond it nothing new is sent, as a sensible client does. */
const WAITING_MAX = 4_000

export class Publisher {
  /** Round trips of stored receipts, in ms, with when they came. */
  readonly acks: { readonly ms: number; readonly at: number; readonly sentAt: number }[] = []
  /** Refusals, likewise. */
  readonly refusals: { readonly ms: number; readonly code: string; readonly sentAt: number }[] = []
  readonly line: Line
  readonly #options: PublisherOptions
  #waiting = new Map<number, { sent: Sent; at: number }>()
  #again: Sent[] = []
  readonly #backingOff = new Set<Sent>()
  #timer: NodeJS.Timeout | undefined
  readonly #padding: string
  #seq = 0
  #id = OWN_IDS + 1
  #owed = 0
  #tickedAt = performance.now()
  #route = 0
  #joinId = 0
  #settled: (() => void) | undefined

  constructor(options: PublisherOptions) {
    this.#options = options
    // What no database compresses.
    const { bytes = 120 } = options
    this.#padding = randomBytes(bytes).toString('base64').slice(20, bytes)
    this.line = new Line(options.way, {
      enter: () => {
        this.#joinId = this.#id++
        return [join(this.#joinId, `room:${options.room}`, true)]
      },
      take: (frame) => this.#take(frame),
      lost: () => this.#lost(),
    })
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  /** How many it has sent and heard nothing of. */
  get waiting(): number {
    return this.#waiting.size + this.#again.length + this.#backingOff.size
  }

  /** Sends nothing new; resolves when nothing waits for an answer any more. */
  async settle(): Promise<void> {
    clearInterval(this.#timer)
    if (this.waiting === 0) return
    await new Promise<void>((resolve) => {
      this.#settled = resolve
    })
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.line.close()
  }

  #tick(): void {
    const now = performance.now()
    const ms = now - this.#tickedAt
    this.#tickedAt = now
    if (this.#route === 0) return
    // Of a pause, nothing is made up for.
    this.#owed += (this.#options.perSecond * Math.min(ms, 10 * TICK_MS)) / 1000
    const due = Math.trunc(this.#owed)
    this.#owed -= due
    const frames: FrameInit[] = []
    const { journal, room, name } = this.#options
    for (let i = 0; i < due && this.#waiting.size < WAITING_MAX; i++) {
      const sent = new Sent(room, { publisher: name, seq: ++this.#seq }, performance.now())
      journal.sent.push(sent)
      frames.push(this.#attempt(sent))
    }
    if (frames.length > 0) this.line.send(...frames)
  }

  #attempt(sent: Sent): FrameInit {
    const id = this.#id++
    this.#waiting.set(id, { sent, at: performance.now() })
    const { publisher, seq, at } = sent
    const routing = {
      route: this.#route,
      receipt: ReceiptLevel.STORED,
      ...(this.#options.keyed && { idempotencyKey: `${publisher}:${seq}` }),
    }
    const content = { case: 'text' as const, value: `${publisher}:${seq}:${at}:${this.#padding}` }
    return { id, body: { case: 'envelope', value: { routing, content } } } as FrameInit
  }

  #take({ id, body }: Frame): void {
    if (body.case === 'receipt') this.#answer(id, body.value)
    if (body.case !== 'room' || body.value.action.case !== 'joined' || id !== this.#joinId) return
    this.#route = body.value.action.value.route
    const again = this.#again.splice(0)
    for (const sent of again) sent.attempts++
    // A packet has at most 1,024 frames.
    for (let i = 0; i < again.length; i += 500) {
      this.line.send(...again.slice(i, i + 500).map((sent) => this.#attempt(sent)))
    }
  }

  #answer(id: number, receipt: Receipt): void {
    const waiting = this.#waiting.get(id)
    const { journal, keyed } = this.#options
    if (!waiting) return void journal.odd.push(`a receipt for ${id}, which nobody waits for`)
    this.#waiting.delete(id)
    const { sent } = waiting
    const now = performance.now()
    const ms = now - waiting.at
    const { status, epoch, sequence } = receipt
    const isStored = status === ReceiptStatus.STORED || status === ReceiptStatus.DUPLICATE
    if (isStored && sequence > 0n) {
      this.acks.push({ ms, at: now, sentAt: waiting.at })
      sent.storedAt = Math.min(sent.storedAt, now)
      const position = { epoch: Number(epoch), sequence: Number(sequence) }
      sent.answers.push({ kind: 'stored', position })
    } else if (status !== ReceiptStatus.REJECTED) {
      journal.odd.push(`status ${status} at ${sequence} for level stored`)
    } else {
      const code = codeInfo(receipt.code).name
      this.refusals.push({ ms, code, sentAt: waiting.at })
      const uncertain = receipt.code === Code.UNCERTAIN
      sent.answers.push(uncertain ? { kind: 'uncertain' } : { kind: 'refused', code })
      if (uncertain && keyed) return this.#retry(sent)
    }
    this.#checkSettled()
  }

  /** UNCERTAIN passes: after a while the same message is tried again, under the same key. */
  #retry(sent: Sent): void {
    sent.retried = true
    this.#backingOff.add(sent)
    setTimeout(() => {
      this.#backingOff.delete(sent)
      if (this.#route === 0) return void this.#again.push(sent)
      sent.attempts++
      this.line.send(this.#attempt(sent))
    }, RETRY_MS)
  }

  #lost(): void {
    this.#route = 0
    if (this.#options.keyed) {
      this.#again = [...this.#again, ...[...this.#waiting.values()].map(({ sent }) => sent)].sort(
        (a, b) => a.seq - b.seq,
      )
    }
    this.#waiting.clear()
    this.#checkSettled()
  }

  #checkSettled(): void {
    if (this.waiting === 0) this.#settled?.()
  }
}
