/** A connection by WebSocket: a packet is a message, binary or JSON. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { create, fromJsonString, toBinary, toJsonString } from '@bufbuild/protobuf'
import { type Frame, PacketSchema } from '@porthouse/proto/v1/frame'
import type { WebSocket } from 'ws'
import { Connection, type ConnectionHost } from './connection.ts'
import type { PlainGateway } from './plain-gateway.ts'

export class WebSocketConnection extends Connection {
  readonly #socket: WebSocket
  readonly #wire: Duplex
  readonly #isJson: boolean
  #isStalled = false

  constructor(
    { socket, request, isJson }: { socket: WebSocket; request: IncomingMessage; isJson: boolean },
    plain: PlainGateway,
    host: ConnectionHost,
  ) {
    super(plain, host)
    this.#socket = socket
    this.#wire = request.socket
    this.#isJson = isJson
    socket.on('message', (data: Buffer, isBinary) => this.#received(data, isBinary))
    socket.on('ping', (data) => {
      if (!this.#isStalled) socket.pong(data)
    })
    socket.on('pong', () => host.ponged(this))
    socket.on('error', (error: Error & { code?: string }) => {
      if (error.code?.startsWith('WS_ERR')) host.broke('PH-9.6', error.message)
    })
    socket.once('close', (code) => this.ended(code))
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  protected write(frames: readonly Frame[]): void {
    const packet = create(PacketSchema, { frames: [...frames] })
    if (!this.#isJson) this.#socket.send(toBinary(PacketSchema, packet))
    else this.#socket.send(frames.length ? toJsonString(PacketSchema, packet) : '')
  }

  sendBytes(bytes: Uint8Array): void {
    this.host.trace(`→ ${Buffer.from(bytes).toString('hex').slice(0, 200)}`)
    this.#socket.send(bytes)
  }

  sendText(text: string): void {
    this.host.trace(`→ text ${text.slice(0, 200)}`)
    this.#socket.send(text)
  }

  sendWire(bytes: Uint8Array): void {
    this.host.trace(`→ wire ${Buffer.from(bytes).toString('hex').slice(0, 200)}`)
    this.#wire.write(bytes)
  }

  ping(): void {
    this.#socket.ping()
  }

  close(code: number): void {
    this.ends(code)
    this.#socket.close(code)
  }

  cut(): void {
    this.ends(1006)
    this.#socket.terminate()
  }

  stall(): void {
    this.#isStalled = true
    this.#wire.removeAllListeners('data')
    this.#wire.on('data', () => {})
  }

  #received(data: Buffer, isBinary: boolean): void {
    if (isBinary === this.#isJson) {
      return this.host.broke('PH-1.4', isBinary ? 'a binary message' : 'a text message')
    }
    const frames = isBinary ? this.decoded(new Uint8Array(data)) : this.#parsed(data)
    if (!frames) return
    this.checked(frames, data.length)
    if (frames.length === 0) this.host.trace('← heartbeat')
    this.host.packet(this, frames)
  }

  #parsed(data: Buffer): Frame[] | undefined {
    try {
      return data.length === 0 ? [] : fromJsonString(PacketSchema, data.toString()).frames
    } catch (error) {
      this.host.broke('PH-12.4', (error as Error).message)
      return undefined
    }
  }
}
