/** Message ids: UUIDv7 (RFC 9562 section 5.7), rising within one gateway. */

/** Bytes of randomness fetched at a time; one id uses eight. */
const POOL_BYTES = 4096

/** Makes ids from a clock in milliseconds and a source of random bytes. */
export class Uuid7Source {
  readonly #clock: () => number
  readonly #random: (size: number) => Uint8Array
  #pool: Uint8Array
  #poolPos: number
  #ms = 0
  /** rand_a as a counter (method 1 of section 6.2), so that ids of one millisecond keep their order. */
  #counter = 0

  constructor(clock: () => number, random: (size: number) => Uint8Array) {
    this.#clock = clock
    this.#random = random
    this.#pool = random(POOL_BYTES)
    this.#poolPos = 0
  }

  /** Milliseconds of the id made last. */
  get ms(): number {
    return this.#ms
  }

  /** 16 bytes. A clock that stands or goes back does not: the last millisecond is used on. */
  next(): Buffer {
    const now = this.#clock()
    if (now > this.#ms) {
      this.#ms = now
      this.#counter = 0
    } else if (++this.#counter > 0xfff) {
      this.#ms += 1
      this.#counter = 0
    }
    const id = Buffer.allocUnsafe(16)
    id.writeUIntBE(this.#ms, 0, 6)
    id[6] = 0x70 | (this.#counter >>> 8)
    id[7] = this.#counter & 0xff
    this.#fillRandom(id)
    id[8] = 0x80 | ((id[8] as number) & 0x3f)
    return id
  }

  #fillRandom(id: Buffer): void {
    if (this.#poolPos + 8 > this.#pool.length) {
      this.#pool = this.#random(POOL_BYTES)
      this.#poolPos = 0
    }
    for (let i = 8; i < 16; i++) id[i] = this.#pool[this.#poolPos++] as number
  }
}

/** The usual text form of 16 bytes. */
export function formatUuid(id: Uint8Array): string {
  const hex = Buffer.from(id.buffer, id.byteOffset, id.length).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
