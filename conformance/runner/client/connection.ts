/**
 * One connection of a client to the reference gateway: what it sends, held against the rules, and
 * whatever bytes the script wants it to get.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  create,
  fromBinary,
  fromJsonString,
  toBinary,
  toJson,
  toJsonString,
} from '@bufbuild/protobuf'
import { type Frame, FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import type { WebSocket } from 'ws'
import { BadEncoding, checkEncoding } from './encoding.ts'
import { FrameRules } from './frame-rules.ts'
import type { PlainGateway } from './plain-gateway.ts'

export interface ConnectionHost {
  readonly isJson: boolean
  broke(clause: string, what: string): void
  trace(line: string): void
  packet(connection: Connection, frames: Frame[]): void
  ponged(connection: Connection): void
  closed(connection: Connection): void
}

export class Connection {
  /** What answers where the script does not. */
  readonly plain: PlainGateway
  /** Of the last Drop that was sent. */
  retryAfterMs = 0
  /** After it nothing more is to be sent (PH-3.5), and the time to wait begins (PH-9.4). */
  droppedAtMs: number | undefined
  /** Hello has come, and no Welcome was sent. */
  owesWelcome = false
  readonly #socket: WebSocket
  readonly #wire: Duplex
  readonly #host: ConnectionHost
  readonly #rules: FrameRules
  /** The close code that the client saw; undefined while it is open. */
  #code: number | undefined
  #isStalled = false

  constructor(
    socket: WebSocket,
    request: IncomingMessage,
    plain: PlainGateway,
    host: ConnectionHost,
  ) {
    this.#socket = socket
    this.#wire = request.socket
    this.plain = plain
    this.#host = host
    this.#rules = new FrameRules((clause, what) => host.broke(clause, what))
    socket.on('message', (data: Buffer, isBinary) => this.#received(data, isBinary))
    socket.on('ping', (data) => {
      if (!this.#isStalled) socket.pong(data)
    })
    socket.on('pong', () => host.ponged(this))
    socket.on('error', (error: Error & { code?: string }) => {
      if (error.code?.startsWith('WS_ERR')) host.broke('PH-9.6', error.message)
    })
    socket.once('close', (code) => {
      host.trace(`closed ${code}`)
      // Ours reached it first, or it went by itself.
      this.#code ??= code
      host.closed(this)
    })
  }

  /** As the client saw it end. */
  get closeCode(): number {
    return this.#code ?? 1006
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  send(frames: readonly Frame[]): void {
    for (const frame of frames) this.#note(frame)
    const packet = create(PacketSchema, { frames: [...frames] })
    if (!this.isOpen) return
    if (!this.#host.isJson) this.#socket.send(toBinary(PacketSchema, packet))
    else this.#socket.send(frames.length ? toJsonString(PacketSchema, packet) : '')
  }

  sendBytes(bytes: Uint8Array): void {
    this.#host.trace(`→ ${Buffer.from(bytes).toString('hex').slice(0, 200)}`)
    this.#socket.send(bytes)
  }

  sendText(text: string): void {
    this.#host.trace(`→ text ${text.slice(0, 200)}`)
    this.#socket.send(text)
  }

  /** Beneath WebSocket. */
  sendWire(bytes: Uint8Array): void {
    this.#host.trace(`→ wire ${Buffer.from(bytes).toString('hex').slice(0, 200)}`)
    this.#wire.write(bytes)
  }

  ping(): void {
    this.#socket.ping()
  }

  close(code: number): void {
    this.#end(code)
    this.#socket.close(code)
  }

  cut(): void {
    this.#end(1006)
    this.#socket.terminate()
  }

  /** Reads no more, so that there is nobody to answer. */
  stall(): void {
    this.#isStalled = true
    this.#wire.removeAllListeners('data')
    this.#wire.on('data', () => {})
  }

  #end(code: number): void {
    if (!this.isOpen) return
    this.#code = code
    this.#host.trace(`→ end ${code}`)
  }

  #note(frame: Frame): void {
    this.#host.trace(`→ ${toJsonString(FrameSchema, frame)}`)
    this.#rules.sent(frame)
    const { body, id } = frame
    if (body.case === 'welcome') this.owesWelcome = false
    if (body.case === 'drop' && id === 0) {
      this.retryAfterMs = body.value.retryAfterMs
      this.droppedAtMs = performance.now()
    }
    if (body.case !== 'room' || body.value.action.case !== 'joined') return
    const { route, address } = body.value.action.value
    this.plain.gave(route, address)
  }

  #received(data: Buffer, isBinary: boolean): void {
    if (isBinary === this.#host.isJson) {
      return this.#host.broke('PH-1.4', isBinary ? 'a binary message' : 'a text message')
    }
    const frames = isBinary ? this.#decoded(new Uint8Array(data)) : this.#parsed(data)
    if (!frames) return
    this.#rules.packet(frames, data.length)
    for (const frame of frames) {
      this.#rules.frame(frame, toBinary(FrameSchema, frame).length)
      if (frame.body.case === 'hello') this.owesWelcome = true
      this.#host.trace(`← ${JSON.stringify(toJson(FrameSchema, frame))}`)
    }
    if (frames.length === 0) this.#host.trace('← heartbeat')
    this.#host.packet(this, frames)
  }

  #decoded(bytes: Uint8Array): Frame[] | undefined {
    try {
      checkEncoding(PacketSchema, bytes, (message, number) => {
        const isReserved = message === 'Envelope' && number >= 16 && number <= 31
        if (isReserved) this.#host.broke('PH-6.3', `field ${number} of an envelope`)
      })
      return fromBinary(PacketSchema, bytes).frames
    } catch (error) {
      if (!(error instanceof BadEncoding)) throw error
      this.#host.broke('PH-2.6', error.message)
      return undefined
    }
  }

  #parsed(data: Buffer): Frame[] | undefined {
    try {
      return data.length === 0 ? [] : fromJsonString(PacketSchema, data.toString()).frames
    } catch (error) {
      this.#host.broke('PH-12.4', (error as Error).message)
      return undefined
    }
  }
}
