/** Message ids: UUIDv7 (RFC 9562 section 5.7), rising within one gateway. */

/** Where the 16 bytes of an id lie. Views are dear, and ids are made on the hot path. */
export interface MessageId {
  readonly bytes: Buffer
  readonly at: number
}

const ID_BYTES = 16
const TIME_BYTES = 6

/** Ids that share one piece of memory. Whoever keeps an id for long keeps a copy: see `keepId`. */
const IDS_PER_SLAB = 256

/** Makes ids from a clock in milliseconds and a source of random bytes. */
export class Uuid7Source {
  readonly #clock: () => number
  readonly #random: (size: number) => Buffer
  /** Filled with randomness beforehand; the rest of an id is written over it. */
  #slab: Buffer
  #at = 0
  #ms = 0
  /** `#ms` as an id begins with it. */
  readonly #time = Buffer.alloc(TIME_BYTES)
  /**
   * rand_a as a counter (method 1 of section 6.2), so that ids of one millisecond keep their order.
   */
  #counter = 0

  constructor(clock: () => number, random: (size: number) => Buffer) {
    this.#clock = clock
    this.#random = random
    this.#slab = random(IDS_PER_SLAB * ID_BYTES)
  }

  /** Milliseconds since 1970-01-01 UTC of the id made last. */
  get ms(): number {
    return this.#ms
  }

  /** A clock that stands or goes back does not matter: the last millisecond is used on. */
  next(): MessageId {
    const now = this.#clock()
    if (now > this.#ms) this.#begin(now)
    else if (++this.#counter > 0xfff) this.#begin(this.#ms + 1)
    if (this.#at === this.#slab.length) {
      this.#slab = this.#random(IDS_PER_SLAB * ID_BYTES)
      this.#at = 0
    }
    const id = { bytes: this.#slab, at: this.#at }
    this.#at += ID_BYTES
    this.#write(id.bytes, id.at)
    return id
  }

  #begin(ms: number): void {
    this.#ms = ms
    this.#counter = 0
    this.#time.writeUIntBE(ms, 0, TIME_BYTES)
  }

  #write(bytes: Buffer, at: number): void {
    for (let i = 0; i < TIME_BYTES; i++) bytes[at + i] = this.#time[i] as number
    bytes[at + 6] = 0x70 | (this.#counter >>> 8)
    bytes[at + 7] = this.#counter & 0xff
    bytes[at + 8] = 0x80 | ((bytes[at + 8] as number) & 0x3f)
  }
}

/** Few, since one id that is kept holds the memory of all of them. */
const KEPT_PER_SLAB = 16
let kept = Buffer.allocUnsafeSlow(KEPT_PER_SLAB * ID_BYTES)
let keptAt = 0

/**
 * The same id in memory that is not written over, and shared with other kept ones only: a slice of
 * Node's pool would hold 64 KiB for as long as it is kept.
 */
export function keepId({ bytes, at }: MessageId): MessageId {
  if (keptAt === kept.length) {
    kept = Buffer.allocUnsafeSlow(KEPT_PER_SLAB * ID_BYTES)
    keptAt = 0
  }
  const id = { bytes: kept, at: keptAt }
  bytes.copy(kept, keptAt, at, at + ID_BYTES)
  keptAt += ID_BYTES
  return id
}

/** The id's 16 bytes by themselves, not to be kept for long. */
export function copyId({ bytes, at }: MessageId): Buffer {
  return Buffer.from(bytes.subarray(at, at + ID_BYTES))
}

/** The usual text form of a UUID, from its 32 hex digits. */
export function uuidOf(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
