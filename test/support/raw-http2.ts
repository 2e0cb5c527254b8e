/** An HTTP/2 client of bare frames (RFC 9113), for what no library would send. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export const DATA = 0x0
export const HEADERS = 0x1
export const PRIORITY = 0x2
export const RST_STREAM = 0x3
export const SETTINGS = 0x4
export const PING = 0x6
export const GOAWAY = 0x7
export const WINDOW_UPDATE = 0x8
export const CONTINUATION = 0x9

export const END_STREAM = 0x1
export const ACK = 0x1
export const END_HEADERS = 0x4

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const HEAD_BYTES = 9

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

export function frame(type: number, flags = 0, stream = 0, payload: Uint8Array = Buffer.alloc(0)) {
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A field block of RFC 7541: pseudo-headers of a request, then fields as they are given. */
export function fields(
  path: string,
  method: 'GET' | 'POST' = 'GET',
  more: [string, string][] = [],
) {
  const text = (one: string) => {
    const length = Buffer.byteLength(one)
    const rest = length - 127
    const head = rest < 0 ? [length] : [127, ...varint(rest)]
    return Buffer.concat([Buffer.from(head), Buffer.from(one)])
  }
  // Of the static table: :method is 2 or 3, :scheme http is 6, :path is 4 and :authority 1.
  const pseudo = [Buffer.from([method === 'GET' ? 0x82 : 0x83, 0x86, 0x04]), text(path)]
  const authority = [Buffer.from([0x01]), text('here')]
  const others = more.flatMap(([name, value]) => [Buffer.from([0x00]), text(name), text(value)])
  return Buffer.concat([...pseudo, ...authority, ...others])
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)]
}

export class RawHttp2 {
  readonly closed: Promise<void>
  /** All that has come. */
  readonly frames: Frame[] = []
  readonly #socket: Socket
  #unread: Buffer = Buffer.alloc(0)
  #wake = Promise.withResolvers<void>()

  static async open(port: number): Promise<RawHttp2> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    socket.write(PREFACE)
    socket.write(frame(SETTINGS))
    return new RawHttp2(socket)
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => this.#read(bytes))
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        resolve()
        this.#wake.resolve()
      })
    })
  }

  /** Resolves once it is written, or the connection is gone. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.writable) this.#socket.write(bytes, () => resolve())
      else resolve()
    })
  }

  get open(): boolean {
    return this.#socket.writable
  }

  /** The first frame that is so, of those that came or come; undefined where it closes before. */
  async first(wanted: (one: Frame) => boolean): Promise<Frame | undefined> {
    for (;;) {
      const found = this.frames.find(wanted)
      if (found || this.#socket.destroyed) return found
      await this.#wake.promise
    }
  }

  /** The error code of the GOAWAY that ends it; undefined where none comes. */
  async goaway(): Promise<number | undefined> {
    const last = await this.first(({ type, payload }) => type === GOAWAY && payload[7] !== 0)
    return last?.payload.readUInt32BE(4)
  }

  /** Without a word. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  #read(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes])
    while (this.#unread.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + this.#unread.readUIntBE(0, 3)
      if (this.#unread.length < end) break
      const [type = 0, flags = 0] = this.#unread.subarray(3)
      const payload = this.#unread.subarray(HEAD_BYTES, end)
      this.frames.push({ type, flags, stream: this.#unread.readUInt32BE(5), payload })
      this.#unread = this.#unread.subarray(end)
    }
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }
}
