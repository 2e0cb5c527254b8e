/** The data types of SSH (RFC 4251 section 5), as keys and signatures are made of. */

/** What SSH wrote cannot be used; the message says why, for whoever gave it. */
export class SshError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SshError'
  }
}

const LENGTH_BYTES = 4

/** A string: its length as a big-endian uint32, then its bytes (text as UTF-8). */
export function sshString(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content)
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** Reads one value after the other and never past the end: that, and what is malformed, throws. */
export class SshReader {
  readonly #bytes: Buffer
  #pos = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  bytes(count: number): Buffer {
    const end = this.#pos + count
    if (end > this.#bytes.length) throw new SshError('it is cut short')
    const taken = this.#bytes.subarray(this.#pos, end)
    this.#pos = end
    return taken
  }

  uint32(): number {
    return this.bytes(LENGTH_BYTES).readUInt32BE()
  }

  string(): Buffer {
    return this.bytes(this.uint32())
  }

  /** For names: each byte becomes one character, so that no two strings read alike. */
  name(): string {
    return this.string().toString('latin1')
  }

  /** A positive mpint in its one shortest form, as big-endian bytes without leading zeros. */
  positive(): Buffer {
    const number = this.string()
    const [first = 0, second = 0] = number
    const padded = first === 0 && number.length > 1
    if (number.length === 0 || first > 0x7f || (first === 0 && second < 0x80)) {
      throw new SshError('it holds a number that is not positive, or not in its shortest form')
    }
    return padded ? number.subarray(1) : number
  }

  end(): void {
    if (this.#pos !== this.#bytes.length) throw new SshError('something follows its end')
  }
}
