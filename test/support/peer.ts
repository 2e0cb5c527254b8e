import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import type { Code } from '@porthouse/proto/v1/code'
import { type Frame, type FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import { type WebSocket, WebSocketServer } from 'ws'

export type FrameInit = MessageInitShape<typeof FrameSchema>
type Kinds = NonNullable<Frame['body']['case']>
type Value<Kind extends Kinds> = Extract<Frame['body'], { case: Kind }>['value']

/** Things in the order in which they came, each for one asker. */
class Arrivals<T> {
  #here: T[] = []
  #askers: ((thing: T) => void)[] = []

  add(thing: T): void {
    const asker = this.#askers.shift()
    if (asker) asker(thing)
    else this.#here.push(thing)
  }

  next(): Promise<T> {
    if (this.#here.length) return Promise.resolve(this.#here.shift()!)
    return new Promise((resolve) => this.#askers.push(resolve))
  }
}

export const limits = {
  packetBytes: 1_048_576,
  packetFrames: 1024,
  frameBytes: 524_288,
  payloadBytes: 262_144,
  headersBytes: 8192,
  headers: 64,
  destinations: 64,
}

/** One connection to the scripted peer: what came, and what to say to it. */
export class Line {
  readonly path: string
  readonly closed: Promise<number>
  readonly #socket: WebSocket
  readonly #packets = new Arrivals<Frame[]>()

  constructor(socket: WebSocket, path: string) {
    this.#socket = socket
    this.path = path
    this.closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('message', (data: Buffer) =>
      this.#packets.add(fromBinary(PacketSchema, new Uint8Array(data)).frames),
    )
  }

  /** The next packet's frames. */
  packet(): Promise<Frame[]> {
    return this.#packets.next()
  }

  /** The next packet, which must hold exactly one frame of that kind. */
  async frame<Kind extends Kinds>(kind: Kind): Promise<{ id: number; value: Value<Kind> }> {
    const [frame, ...more] = await this.packet()
    if (frame?.body.case !== kind || more.length) {
      throw new Error(`expected one ${kind}, got ${[frame, ...more].map((f) => f?.body.case)}`)
    }
    return { id: frame.id, value: frame.body.value as Value<Kind> }
  }

  /** Sends one packet. */
  send(...frames: FrameInit[]): void {
    this.sendBytes(toBinary(PacketSchema, create(PacketSchema, { frames })))
  }

  sendBytes(bytes: Uint8Array | string): void {
    this.#socket.send(bytes)
  }

  /**
   * Answers the first packet as a gateway does, its joins with routes from 1; returns its frames.
   */
  async welcome({ heartbeatMs = 0, sequence = 7n, socket = 'socket:aaaaaaaaaaaaaaaa' } = {}) {
    const frames = await this.packet()
    let route = 0
    this.send(
      ...frames.map(({ id, body }): FrameInit => {
        if (body.case === 'hello') {
          return { id, body: { case: 'welcome', value: { socket, limits, heartbeatMs } } }
        }
        if (body.case === 'lockStep') return verdict(id, 1)
        if (body.case === 'room' && body.value.action.case === 'join') {
          return joined(id, body.value.action.value.address, { route: ++route, sequence })
        }
        throw new Error(`not a frame of a first packet: ${body.case}`)
      }),
    )
    return frames
  }

  /** Answers the next packet's envelopes with receipts that they were routed to one socket. */
  async receipts() {
    const frames = await this.packet()
    this.send(...frames.map(({ id }) => receipt(id)))
    return frames
  }

  /** Reads nothing from now on. */
  pause(): void {
    this.#socket.pause()
  }

  /** Sends bytes beneath WebSocket. */
  sendRaw(bytes: Uint8Array): void {
    ;(this.#socket as unknown as { _socket: Socket })._socket.write(bytes)
  }

  close(code?: number): void {
    this.#socket.close(code)
  }

  /** As if the network had gone. */
  cut(): void {
    this.#socket.terminate()
  }
}

export const verdict = (id: number, outcome: 1 | 2 | 3, code: Code = 0): FrameInit => ({
  id,
  body: { case: 'lockStep', value: { step: { case: 'verdict', value: { outcome, code } } } },
})

interface Stay {
  readonly route?: number
  readonly epoch?: bigint
  readonly sequence?: bigint
  readonly listening?: boolean
  readonly maySend?: boolean
  readonly backlog?: { readonly recovered: boolean; readonly afterSequence: bigint }
}

export const joined = (
  id: number,
  address: string,
  { route = 1, epoch = 1n, sequence = 7n, listening = true, maySend = true, backlog }: Stay = {},
): FrameInit => ({
  id,
  body: {
    case: 'room',
    value: {
      action: {
        case: 'joined',
        value: {
          route,
          address,
          epoch,
          sequence,
          listening,
          maySend,
          ...(backlog && { backlog }),
        },
      },
    },
  },
})

/** Status 2 is ROUTED. */
export const receipt = (id: number, facts: object = { status: 2, sockets: 1 }): FrameInit => ({
  id,
  body: { case: 'receipt', value: { id: uuid(id), sequence: BigInt(id), epoch: 1n, ...facts } },
})

export const message = (text: string, stamp: object = {}): FrameInit => ({
  body: {
    case: 'envelope',
    value: {
      content: { case: 'text', value: text },
      stamp: { id: uuid(1), from: 'socket:bbbbbbbbbbbbbbbb', route: 1, sequence: 8n, ...stamp },
    },
  },
})

export const drop = (id: number, code: Code, retryAfterMs = 0): FrameInit => ({
  id,
  body: { case: 'drop', value: { code, retryAfterMs } },
})

/** 16 bytes that end in the number. */
export function uuid(number: number): Uint8Array {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(12, number)
  return bytes
}

/** A WebSocket server on a free port whose every frame the test says. */
export class Peer {
  readonly url: string
  readonly #server: WebSocketServer
  readonly #lines = new Arrivals<Line>()

  static async start(subprotocol: string | false = 'porthouse.v1'): Promise<Peer> {
    const server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      handleProtocols: () => subprotocol,
    })
    await once(server, 'listening')
    return new Peer(server)
  }

  private constructor(server: WebSocketServer) {
    this.#server = server
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('connection', (socket, request) => this.#lines.add(new Line(socket, request.url!)))
  }

  /** The next connection. */
  line(): Promise<Line> {
    return this.#lines.next()
  }

  async stop(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Time that moves only when told to, and forgets nothing that is due. */
export class ManualClock {
  #now = 0
  #timers = new Map<object, { at: number; callback: () => void }>()

  now = (): number => this.#now

  after = (ms: number, callback: () => void): (() => void) => {
    const key = {}
    this.#timers.set(key, { at: this.#now + ms, callback })
    return () => void this.#timers.delete(key)
  }

  get pending(): number {
    return this.#timers.size
  }

  advance(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= until)
      const [first] = due.sort(([, a], [, b]) => a.at - b.at)
      if (!first) break
      const [key, { at, callback }] = first
      this.#timers.delete(key)
      this.#now = at
      callback()
    }
    this.#now = until
  }
}
