/** A connection to the gateway that comes back by itself, however often it is cut. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { type Frame, PacketSchema } from '@porthouse/proto/v1/frame'
import { WebSocket } from 'ws'
import { codeInfo } from '../../../gateway/protocol/codes.ts'
import { answer, type FrameInit, hello } from '../../support/client-frames.ts'

/** Who uses a line. */
export interface Use {
  /** Sent with the credentials, in one packet, on each new connection. */
  enter(): FrameInit[]
  take(frame: Frame): void
  /** The connection has ended; the next one is on its way. */
  lost?(): void
}

export interface Way {
  /** Asked at each attempt, since the gateway may come back elsewhere. */
  readonly url: () => string
  readonly token: string
  /** Before the next attempt, in ms; 20 where it is absent. */
  readonly pause?: () => number
}

/** Ids of the frames that a line itself sends; its user begins after them. */
export const OWN_IDS = 2

export class Line {
  /** Times that it was let in. */
  connections = 0
  /** Why connections ended, by the codes of the gateway's drops and of the close frames. */
  readonly ends = new Map<string, number>()
  /** When the last attempt was made that succeeded, and when it did, by performance.now(). */
  readonly entered = { from: 0, at: 0 }
  readonly #way: Way
  readonly #use: Use
  #socket: WebSocket | undefined
  #timer: NodeJS.Timeout | undefined
  #closed: PromiseWithResolvers<void> | undefined

  constructor(way: Way, use: Use) {
    this.#way = way
    this.#use = use
    this.#open()
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN
  }

  describe(): string {
    const ends = [...this.ends].map(([end, count]) => `${count} x ${end}`)
    return `${this.isOpen ? 'open' : 'closed'}, ${this.connections} connections, ends: ${ends}`
  }

  send(...frames: FrameInit[]): void {
    this.#socket?.send(toBinary(PacketSchema, create(PacketSchema, { frames })))
  }

  /** Stops to read, as a slow consumer does. */
  pause(): void {
    this.#socket?.pause()
  }

  resume(): void {
    this.#socket?.resume()
  }

  /** As if the network had gone; it comes back. */
  cut(): void {
    this.#socket?.terminate()
  }

  /** For good. */
  async close(): Promise<void> {
    this.#closed = Promise.withResolvers()
    clearTimeout(this.#timer)
    if (!this.#socket || this.#socket.readyState === WebSocket.CLOSED) return
    this.#socket.close()
    const patience = setTimeout(() => this.#socket?.terminate(), 1000)
    await this.#closed.promise
    clearTimeout(patience)
  }

  #open(): void {
    const options = { perMessageDeflate: false, handshakeTimeout: 30_000 }
    const from = performance.now()
    const socket = new WebSocket(`${this.#way.url()}/v1/ws`, ['porthouse.v1'], options)
    this.#socket = socket
    socket.on('open', () => {
      this.send(hello(1), answer(OWN_IDS, this.#way.token), ...this.#use.enter())
    })
    socket.on('message', (data: Buffer) => {
      if (data.length === 0) return void socket.send(new Uint8Array())
      const { frames } = fromBinary(PacketSchema, data)
      for (const frame of frames) {
        if (frame.body.case === 'welcome') {
          this.connections++
          Object.assign(this.entered, { from, at: performance.now() })
        }
        if (frame.body.case === 'drop') this.#count(codeInfo(frame.body.value.code).name)
        this.#use.take(frame)
      }
    })
    socket.on('error', () => {})
    socket.on('close', (code) => {
      this.#count(`${code}`)
      this.#use.lost?.()
      if (this.#closed) return this.#closed.resolve()
      this.#timer = setTimeout(() => this.#open(), this.#way.pause?.() ?? 20)
    })
  }

  #count(end: string): void {
    this.ends.set(end, (this.ends.get(end) ?? 0) + 1)
  }
}
