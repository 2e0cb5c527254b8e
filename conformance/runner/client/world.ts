/** What the reference gateway remembers from one connection of a case to the next. */
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { type Receipt, ReceiptSchema, ReceiptStatus } from '@porthouse/proto/v1/receipt'

/** What a room has seen before the case began. */
const FIRST_SEQUENCE = 7n

export class World {
  /** Last position of each room. */
  readonly #sequences = new Map<string, bigint>()
  readonly #receipts = new Map<string, Receipt>()
  readonly #tokens = new Set<string>()
  #tokensGiven = 0
  #uuids = 0

  sequence(room: string): bigint {
    return this.#sequences.get(room) ?? FIRST_SEQUENCE
  }

  next(room: string): bigint {
    const sequence = this.sequence(room) + 1n
    this.#sequences.set(room, sequence)
    return sequence
  }

  /** A UUIDv7 (RFC 9562), the same ones in each run. */
  uuid(): Uint8Array {
    const bytes = new Uint8Array(16)
    new DataView(bytes.buffer).setUint32(12, ++this.#uuids)
    bytes[6] = 0x70
    bytes[8] = 0x80
    return bytes
  }

  token(): string {
    const token = `resume-${++this.#tokensGiven}`
    this.#tokens.add(token)
    return token
  }

  /** Whether it is good still. */
  knows(token: string): boolean {
    return this.#tokens.has(token)
  }

  spend(token: string): void {
    this.#tokens.delete(token)
  }

  /** The receipt of a message, the first one's where its key is known. */
  receipt(key: string, make: () => MessageInitShape<typeof ReceiptSchema>): Receipt {
    const first = key ? this.#receipts.get(key) : undefined
    if (first) return { ...first, status: ReceiptStatus.DUPLICATE }
    const receipt = create(ReceiptSchema, make())
    if (key) this.#receipts.set(key, receipt)
    return receipt
  }
}
