/** Ids of sockets and locks: 80 random bits as 16 characters of base32, that nobody guesses. */

const ALPHABET = Buffer.from('abcdefghijklmnopqrstuvwxyz234567')

const ID_CHARS = 16

/** Ids that are made of one piece of randomness: to ask for it costs more than an id. */
const IDS_PER_SLAB = 64

export class RandomIds {
  readonly #random: (bytes: number) => Uint8Array
  #slab: Uint8Array = new Uint8Array()
  #at = 0
  readonly #id = Buffer.alloc(ID_CHARS)

  constructor(random: (bytes: number) => Uint8Array) {
    this.#random = random
  }

  next(): string {
    if (this.#at === this.#slab.length) {
      this.#slab = this.#random(IDS_PER_SLAB * ID_CHARS)
      this.#at = 0
    }
    // A byte's last five bits are as even as the byte.
    for (let i = 0; i < ID_CHARS; i++) {
      this.#id[i] = ALPHABET[(this.#slab[this.#at++] as number) & 31] as number
    }
    // In one piece: one that is put together stays a chain of pieces for as long as it lives.
    return this.#id.toString('latin1')
  }
}
