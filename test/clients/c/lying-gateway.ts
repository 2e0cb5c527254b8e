/** A gateway on bare TCP, which says any bytes, right or wrong, to whoever connects. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { type Frame, type FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import { BINARY, encodeFrame } from '../../support/raw-websocket.ts'

type FrameInit = MessageInitShape<typeof FrameSchema>

/** What it says to one that connects, after the request for a WebSocket has come. */
export type Script = (caller: Caller) => unknown

export class Caller {
  readonly socket: Socket
  readonly #key: string
  #bytes = Buffer.alloc(0)

  constructor(socket: Socket, key: string) {
    this.socket = socket
    this.#key = key
  }

  /** Bytes or text as they are. */
  write(bytes: Uint8Array | string): void {
    this.socket.write(bytes)
  }

  /** The end of the handshake, as it has to be. */
  accept(headers: readonly string[] = []): void {
    const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
    const accept = createHash('sha1').update(`${this.#key}${guid}`).digest('base64')
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
    const own = [`Sec-WebSocket-Accept: ${accept}`, 'Sec-WebSocket-Protocol: porthouse.v1']
    this.write(`${[...lines, ...own, ...headers].join('\r\n')}\r\n\r\n`)
  }

  /** A packet. */
  say(...frames: FrameInit[]): void {
    const packet = toBinary(PacketSchema, create(PacketSchema, { frames }))
    this.write(encodeFrame(BINARY, packet, { masked: false }))
  }

  /** The end of the handshake, and Welcome to a client's Hello; its other frames. */
  async welcome(heartbeatMs = 60_000): Promise<Frame[]> {
    this.accept()
    const frames = await this.#packet()
    const limits = { packetBytes: 1_048_576, packetFrames: 1024, frameBytes: 524_288 }
    const welcome = { socket: 'socket:aaaaaaaaaaaaaaaa', heartbeatMs, limits }
    this.say({ id: frames[0]!.id, body: { case: 'welcome', value: welcome } })
    return frames.slice(1)
  }

  /** The next one of the client, of less than 126 bytes. */
  async #packet(): Promise<Frame[]> {
    const length = () => 6 + (this.#bytes[1] ?? 0) - 0x80
    while (this.#bytes.length < 6 || this.#bytes.length < length()) {
      const [bytes] = (await once(this.socket, 'data')) as [Buffer]
      this.#bytes = Buffer.concat([this.#bytes, bytes])
    }
    const mask = this.#bytes.subarray(2, 6)
    const packet = this.#bytes.subarray(6, length()).map((byte, i) => byte ^ mask[i % 4]!)
    this.#bytes = this.#bytes.subarray(length())
    return fromBinary(PacketSchema, packet).frames
  }
}

export class LyingGateway {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** How often somebody has connected. */
  calls = 0
  #greeting: Uint8Array = new Uint8Array()

  static async start(script: Script): Promise<LyingGateway> {
    const gateway = new LyingGateway(script)
    await once(gateway.#server.listen(0, '127.0.0.1'), 'listening')
    return gateway
  }

  private constructor(script: Script) {
    this.#server = createServer((socket) => {
      this.calls++
      this.#sockets.add(socket)
      let request = ''
      socket.write(this.#greeting)
      // Who is told lies leaves as it likes.
      socket.on('error', () => {})
      socket.on('data', (bytes) => {
        const waits = !request.includes('\r\n\r\n')
        request += bytes.toString('latin1')
        if (!waits || !request.includes('\r\n\r\n')) return
        script(new Caller(socket, /^sec-websocket-key: (.*)\r$/im.exec(request)?.[1] ?? ''))
      })
    })
  }

  /** What it says at once to who connects from now on. */
  greet(words: Uint8Array): void {
    this.#greeting = words
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  stop(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
