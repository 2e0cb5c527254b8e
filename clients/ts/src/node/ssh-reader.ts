export const NEEDS_PASSPHRASE = 'it needs its passphrase'

/** The data types of SSH (RFC 4251 section 5), read one after the other and never past the end. */
export class SshReader {
  readonly #bytes: Buffer
  #pos = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Throws an Error where so many are not left, as all others do. */
  bytes(count: number): Buffer {
    const end = this.#pos + count
    if (end > this.#bytes.length) throw new Error('it is cut short')
    const taken = this.#bytes.subarray(this.#pos, end)
    this.#pos = end
    return taken
  }

  rest(): Buffer {
    return this.bytes(this.#bytes.length - this.#pos)
  }

  uint32(): number {
    return this.bytes(4).readUInt32BE()
  }

  string(): Buffer {
    return this.bytes(this.uint32())
  }

  name(): string {
    return this.string().toString('latin1')
  }

  /** A positive number, as its bytes without leading zeros. */
  number(): Buffer {
    const bytes = this.string()
    return bytes[0] === 0 ? bytes.subarray(1) : bytes
  }
}

/** As SSH writes a positive number: without leading zeros, but for one that keeps it positive. */
export function sshNumber(number: Uint8Array): Uint8Array {
  const first = number.findIndex((byte) => byte !== 0)
  const digits = first < 0 ? number.subarray(number.length) : number.subarray(first)
  return digits.length > 0 && digits[0]! > 0x7f ? Uint8Array.of(0, ...digits) : digits
}
