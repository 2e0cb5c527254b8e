/** One WebSocket over plain TCP, opened and dropped at the least cost for whoever measures. */
import { connect, type Socket } from 'node:net'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { type Frame, PacketSchema } from '@porthouse/proto/v1/frame'

const END_OF_HEAD = Buffer.from('\r\n\r\n')

/** RFC 6455 wants a mask; zeros are one. */
const MASK = Buffer.alloc(4)

export class LoginSocket {
  readonly #socket: Socket
  #bytes = Buffer.alloc(0)
  #wake: () => void = () => {}
  #ended = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay()
    socket.on('data', (bytes) => {
      this.#bytes = this.#bytes.length > 0 ? Buffer.concat([this.#bytes, bytes]) : bytes
      this.#wake()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#ended = true
      this.#wake()
    })
  }

  /** Resolves once the upgrade has been answered. */
  static async open(port: number, path: string, subprotocol?: string): Promise<LoginSocket> {
    const self = new LoginSocket(connect({ host: '127.0.0.1', port }))
    const lines = [
      `GET ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ...(subprotocol ? [`Sec-WebSocket-Protocol: ${subprotocol}`] : []),
    ]
    self.#socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    const head = await self.#until((bytes) => {
      const end = bytes.indexOf(END_OF_HEAD)
      return end < 0 ? undefined : end + END_OF_HEAD.length
    })
    if (!head.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error(head.toString())
    return self
  }

  /** One packet, of less than 64 KiB. */
  send(frames: readonly Frame[]): void {
    const packet = toBinary(PacketSchema, create(PacketSchema, { frames: [...frames] }))
    const head = Buffer.from([0x82, 0x80 | 126, packet.length >> 8, packet.length & 0xff])
    this.#socket.write(Buffer.concat([head, MASK, packet]))
  }

  /** The frames of the next packet. */
  async next(): Promise<Frame[]> {
    return fromBinary(PacketSchema, await this.message()).frames
  }

  /** What the next message holds, less than 64 KiB. */
  async message(): Promise<Buffer> {
    const message = await this.#until((bytes) => {
      if (bytes.length < 4) return undefined
      const short = bytes[1]! & 0x7f
      const size = short < 126 ? 2 + short : 4 + bytes.readUInt16BE(2)
      return bytes.length < size ? undefined : size
    })
    return message.subarray(message[1]! < 126 ? 2 : 4)
  }

  drop(): void {
    this.#socket.resetAndDestroy()
  }

  /** Takes as many bytes as `size` says, as soon as it says so. */
  async #until(size: (bytes: Buffer) => number | undefined): Promise<Buffer> {
    for (;;) {
      const end = size(this.#bytes)
      if (end !== undefined) {
        const taken = this.#bytes.subarray(0, end)
        this.#bytes = this.#bytes.subarray(end)
        return taken
      }
      if (this.#ended) throw new Error('the server has closed the connection')
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
