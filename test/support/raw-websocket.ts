/** A WebSocket client on a bare TCP socket, which can send any bytes, right or wrong (RFC 6455). */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { create, fromBinary, fromJsonString, toBinary } from '@bufbuild/protobuf'
import { type Frame, PacketSchema } from '@porthouse/proto/v1/frame'
import type { FrameInit } from './client-frames.ts'

export const CONTINUATION = 0x0
export const TEXT = 0x1
export const BINARY = 0x2
export const CLOSE = 0x8
export const PING = 0x9
export const PONG = 0xa

export interface FrameOptions {
  /** False: more fragments follow. */
  readonly fin?: boolean
  /** The three reserved bits, 0 to 7. */
  readonly rsv?: number
  readonly masked?: boolean
  /** A length to claim, in 64 bits, in place of the true one. */
  readonly length?: bigint
}

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d])

/** One frame as a client sends it; by default a legal one. */
export function encodeFrame(
  opcode: number,
  payload: Uint8Array | string = '',
  { fin = true, rsv = 0, masked = true, length }: FrameOptions = {},
): Buffer {
  const body = Buffer.from(payload)
  const size = length ?? BigInt(body.length)
  const short = size < 126n ? Number(size) : size < 65_536n ? 126 : 127
  const header = Buffer.alloc(short === 127 ? 10 : short === 126 ? 4 : 2)
  header[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  header[1] = (masked ? 0x80 : 0) | short
  if (short === 126) header.writeUInt16BE(Number(size), 2)
  if (short === 127) header.writeBigUInt64BE(size, 2)
  if (!masked) return Buffer.concat([header, body])
  return Buffer.concat([header, MASK, body.map((byte, i) => byte ^ MASK[i % 4]!)])
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(code)
  return Buffer.concat([bytes, Buffer.from(reason)])
}

export interface Handshake {
  readonly path?: string
  /** Null: none is offered. */
  readonly protocol?: string | null
  /** In place of those of a right handshake, or beside them; null leaves one out. */
  readonly headers?: Readonly<Record<string, string | null>>
  readonly method?: string
}

/** The bytes of an upgrade request; by default a right one. */
export function encodeHandshake(handshake: Handshake = {}): string {
  const { path = '/v1/ws', protocol = 'porthouse.v1', method = 'GET' } = handshake
  const headers = {
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol': protocol,
    ...handshake.headers,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}`],
  )
  return `${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}

/** Sends bytes to a port; resolves with all that comes back until the other side closes. */
export async function exchange(port: number, bytes: Uint8Array | string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  // A reset after the answer is an end like any other.
  socket.on('error', () => undefined)
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1')
  })
  socket.write(bytes)
  await closeOf(socket)
  return answer
}

/** Unlike `once`, does not reject where an error comes first. */
function closeOf(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve))
}

/** How a connection ended. */
export interface End {
  /** Of the close frame; undefined where none came. */
  readonly code: number | undefined
  readonly reason: string
}

export interface RawOptions extends Handshake {
  /** False: close frames are not answered. */
  readonly answersClose?: boolean
  /** False: pings are not answered. */
  readonly answersPings?: boolean
  /** The address of this machine to come from, such as 127.0.0.2. */
  readonly from?: string
  /** Outlives resetRawWebSockets. */
  readonly kept?: boolean
  /** Sent right behind the handshake, in the same segment. */
  readonly early?: Uint8Array
}

const live = new Set<RawWebSocket>()

/** Ends whatever is still open; for afterEach. */
export function resetRawWebSockets(): void {
  for (const socket of live) socket.reset()
}

export class RawWebSocket {
  /** The gateway's answer to the handshake: status line and headers. */
  readonly head: string
  readonly ended: Promise<End>
  readonly #socket: Socket
  readonly #answersClose: boolean
  readonly #answersPings: boolean
  readonly #arrivals = new Map<number, Buffer[]>()
  #frames: Frame[] = []
  #wake = Promise.withResolvers<void>()
  #unread: Buffer = Buffer.alloc(0)
  #close: Buffer | undefined
  #over = false

  /** Rejects with the answer where it is not status 101. */
  static async open(port: number, options: RawOptions = {}): Promise<RawWebSocket> {
    const { from, early = [] } = options
    const host = '127.0.0.1'
    const socket = connect({ port, host, ...(from && { localAddress: from }) }).setNoDelay()
    socket.write(Buffer.concat([Buffer.from(encodeHandshake(options)), Buffer.from(early)]))
    let received = Buffer.alloc(0)
    for (;;) {
      const [chunk] = await Promise.race([
        once(socket, 'data') as Promise<[Buffer]>,
        once(socket, 'end').then(() => {
          throw new Error(`no handshake: ${received.toString()}`)
        }),
      ])
      received = Buffer.concat([received, chunk])
      const end = received.indexOf('\r\n\r\n')
      if (end === -1 || !received.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) continue
      const head = received.toString('latin1', 0, end)
      return new RawWebSocket(socket, head, received.subarray(end + 4), options)
    }
  }

  private constructor(socket: Socket, head: string, rest: Buffer, options: RawOptions) {
    this.#socket = socket
    this.head = head
    this.#answersClose = options.answersClose ?? true
    this.#answersPings = options.answersPings ?? true
    if (!options.kept) live.add(this)
    socket.on('data', (chunk) => this.#read(chunk))
    socket.on('error', () => undefined)
    this.ended = closeOf(socket).then(() => this.#end())
    this.#read(rest)
  }

  get localPort(): number {
    return this.#socket.localPort!
  }

  /** Sends bytes as they are. */
  write(bytes: Uint8Array | string): void {
    this.#socket.write(bytes)
  }

  /** Sends one WebSocket frame. */
  send(opcode: number, payload?: Uint8Array | string, options?: FrameOptions): void {
    this.write(encodeFrame(opcode, payload, options))
  }

  /** Sends one packet as a binary message. */
  packet(...frames: FrameInit[]): void {
    this.send(BINARY, toBinary(PacketSchema, create(PacketSchema, { frames })))
  }

  /** The payload of the next frame with that opcode. Rejects where the connection ends before. */
  async next(opcode: number): Promise<Buffer> {
    for (;;) {
      const payload = this.#arrivals.get(opcode)?.shift()
      if (payload) return payload
      if (this.#over) throw new Error(`ended with ${this.#close?.toString('latin1') ?? 'nothing'}`)
      await this.#wake.promise
    }
  }

  /**
   * The next frame of the protocol, whichever packet it comes in; `opcode` says which lane it is.
   */
  async frame(opcode = BINARY): Promise<Frame> {
    while (this.#frames.length === 0) this.#frames = framesOf(opcode, await this.next(opcode))
    return this.#frames.shift()!
  }

  /** So many of them. */
  async frames(count: number, opcode = BINARY): Promise<Frame[]> {
    const frames: Frame[] = []
    while (frames.length < count) frames.push(await this.frame(opcode))
    return frames
  }

  /** All that still come until the connection ends. */
  async rest(opcode = BINARY): Promise<Frame[]> {
    await this.ended
    const payloads = this.#arrivals.get(opcode)?.splice(0) ?? []
    const packets = payloads.map((payload) => framesOf(opcode, payload))
    return [...this.#frames.splice(0), ...packets.flat()]
  }

  /** Stops to read, so that what the gateway writes fills the way to here. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Ends with a TCP reset. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk])
    for (;;) {
      const frame = decodeFrame(this.#unread)
      if (!frame) break
      this.#unread = this.#unread.subarray(frame.size)
      this.#take(frame.opcode, frame.payload)
    }
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }

  #take(opcode: number, payload: Buffer): void {
    // RFC 6455 section 5.5.1: nothing comes after a close frame.
    if (this.#close) throw new Error(`a frame with opcode ${opcode} after the close frame`)
    if (opcode === CLOSE) {
      this.#close = payload
      if (this.#answersClose) this.send(CLOSE, payload)
    }
    if (opcode === PING && this.#answersPings) this.send(PONG, payload)
    const queue = this.#arrivals.get(opcode)
    if (queue) queue.push(payload)
    else this.#arrivals.set(opcode, [payload])
  }

  #end(): End {
    live.delete(this)
    this.#over = true
    this.#wake.resolve()
    const close = this.#close
    if (!close || close.length < 2) return { code: close && 1005, reason: '' }
    return { code: close.readUInt16BE(0), reason: close.toString('utf8', 2) }
  }
}

function decodeFrame(bytes: Buffer): { opcode: number; payload: Buffer; size: number } | undefined {
  if (bytes.length < 2) return undefined
  const [first, second] = [bytes[0]!, bytes[1]!]
  // A gateway sends whole frames without extensions and without a mask (PH-1.6).
  if ((first & 0xf0) !== 0x80 || second > 127) throw new Error(`frame ${bytes.toString('hex')}`)
  const start = second === 126 ? 4 : second === 127 ? 10 : 2
  if (bytes.length < start) return undefined
  const length =
    second === 126
      ? bytes.readUInt16BE(2)
      : second === 127
        ? Number(bytes.readBigUInt64BE(2))
        : second
  const size = start + length
  if (bytes.length < size) return undefined
  return { opcode: first & 0x0f, payload: Buffer.from(bytes.subarray(start, size)), size }
}

function framesOf(opcode: number, payload: Buffer): Frame[] {
  if (opcode === BINARY) return fromBinary(PacketSchema, payload).frames
  return payload.length === 0 ? [] : fromJsonString(PacketSchema, payload.toString()).frames
}
