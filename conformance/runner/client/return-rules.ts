/**
 * What holds from one connection of a client to the next: when it may come back, and what it says
 * again there.
 */
import { create, toBinary } from '@bufbuild/protobuf'
import { type Envelope, EnvelopeSchema } from '@porthouse/proto/v1/envelope'

/** The close codes after which a client comes back by itself (PH-9.3). */
const RECONNECT = new Set([1001, 1006, 1011, 1012, 1013])
/** However short its first waits are: connections that a client makes within a second. */
const PER_SECOND = 20

interface Ended {
  readonly code: number
  readonly atMs: number
  readonly retryAfterMs: number
}

export class ReturnRules {
  readonly #broke: (clause: string, what: string) => void
  readonly #bodies = new Map<string, string>()
  #ended: Ended | undefined
  #opened: number[] = []

  constructor(broke: (clause: string, what: string) => void) {
    this.#broke = broke
  }

  /** A connection, or one that was refused, is over, or was when its Drop was sent. */
  ended(code: number, retryAfterMs: number, atMs = performance.now()): void {
    this.#ended = { code, atMs, retryAfterMs }
  }

  /** The client connects. */
  opened(): void {
    const now = performance.now()
    this.#opened = [...this.#opened.filter((at) => at > now - 1000), now]
    if (this.#opened.length > PER_SECOND) {
      this.#broke('PH-9.3', `${this.#opened.length} connections within a second`)
    }
    if (!this.#ended) return
    const { code, atMs, retryAfterMs } = this.#ended
    if (!(RECONNECT.has(code) || (code >= 4000 && code <= 4499))) {
      this.#broke('PH-9.3', `it came back after ${code}`)
    }
    const waitedMs = now - atMs
    // Timers of a client may be early by what its clock leaves out.
    if (waitedMs < retryAfterMs - 5) {
      this.#broke('PH-9.4', `it came back after ${waitedMs.toFixed()} ms, not ${retryAfterMs}`)
    }
  }

  /** PH-8.8: under one key there is one message, however often it is sent. */
  envelope({ routing, ...body }: Envelope): void {
    const key = routing?.idempotencyKey
    if (!key) return
    const { $typeName: _, ...fields } = body
    const bytes = toBinary(EnvelopeSchema, create(EnvelopeSchema, fields))
    const text = Buffer.from(bytes).toString('hex')
    const where = `${key} ${routing.to.join(' ')} ${routing.channel}`
    const before = this.#bodies.get(where)
    if (before !== undefined && before !== text) {
      this.#broke('PH-8.8', 'another message under one key')
    }
    this.#bodies.set(where, text)
  }
}
