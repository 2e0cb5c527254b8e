import type { Frame, Limits, Welcome } from '@porthouse/proto/v1/frame'
import type { Clock } from './clock.ts'
import { closeCode, closeInfo } from './code.ts'
import { PorthouseError } from './error.ts'
import { Heartbeat } from './heartbeat.ts'
import { decodePacket, packets } from './packet.ts'
import { afterTurn } from './turn.ts'
import type { WebSocketConstructor, WebSocketLike } from './websocket.ts'

export interface ConnectionOptions {
  readonly url: string
  readonly WebSocket: WebSocketConstructor
  readonly clock: Clock
  /** From the first byte until `established` is called, but for what locks wait. */
  readonly timeoutMs: number
  readonly onPacket: OnPacket | undefined
  /** Bound of what waits to be sent or answered. */
  readonly queueBytes: number
}

/** Sees each packet as its bytes, which are not to be changed. */
export type OnPacket = (direction: 'sent' | 'received', packet: Uint8Array) => void

export interface ConnectionHandlers {
  frame(frame: Frame): void
  /** What was pushed is in the socket. */
  flushed(): void
  /** Called once; nothing is called after it. */
  closed(error: PorthouseError): void
}

const SUBPROTOCOL = 'porthouse.v1'
const OPEN = 1
// How long the peer may take over its half of a close.
const CLOSE_MS = 1000
// What is said in answer to the gateway, beside what the queue bounds.
const REPLIES_BYTES_MAX = 2 ** 20

/** One WebSocket: frames in, packets out, and why it ended. */
export class Connection {
  readonly #options: ConnectionOptions
  readonly #handlers: ConnectionHandlers
  readonly #socket: WebSocketLike
  readonly #greeting: readonly Uint8Array[]
  #limits: Limits | undefined
  #outgoing: Uint8Array[] = []
  #heartbeat: Heartbeat | undefined
  #cancel = () => {}
  #error: PorthouseError | undefined
  #detail = ''
  #established = false
  #over = false

  /** The greeting goes out as one packet when the socket opens. */
  constructor(
    options: ConnectionOptions,
    greeting: readonly Uint8Array[],
    handlers: ConnectionHandlers,
  ) {
    this.#options = options
    this.#greeting = greeting
    this.#handlers = handlers
    const socket = new options.WebSocket(options.url, [SUBPROTOCOL])
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => this.#opened()
    socket.onmessage = ({ data }: { data: unknown }) => this.#received(data)
    socket.onerror = ({ message }: { message?: string }) => {
      this.#detail = message ?? ''
    }
    socket.onclose = ({ code }: { code: number }) => this.#finish(this.#reason(code))
    this.#expect(options.timeoutMs)
  }

  /** While a lock waits for an answer, for so long, nothing else is due. */
  waits(ms: number): void {
    if (!this.#established && !this.#error) this.#expect(ms + this.#options.timeoutMs)
  }

  #expect(ms: number): void {
    this.#deadline(ms, () => {
      const detail = `The gateway did not answer within ${ms} ms`
      this.fail(new PorthouseError('UNAVAILABLE', { detail }))
    })
  }

  /** Bytes that the socket has not passed on yet. */
  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  /** Bounds and heartbeat from here on. */
  welcome({ limits, heartbeatMs }: Welcome): void {
    this.#limits = limits
    if (heartbeatMs === 0) return
    this.#heartbeat?.stop()
    this.#heartbeat = new Heartbeat(heartbeatMs, this.#options.clock, {
      beat: () => this.#send(new Uint8Array()),
      dead: () => this.fail(new PorthouseError('HEARTBEAT_TIMEOUT')),
    })
  }

  /** The gateway has answered all of the greeting: no deadline any more. */
  established(): void {
    this.#established = true
    this.#cancel()
  }

  /** Sends at the end of this turn, with whatever else is pushed in it. Throws FRAME_TOO_LARGE. */
  push(frame: Uint8Array): void {
    const { frameBytes } = this.#bounds()
    if (frame.length > frameBytes) {
      const detail = `${frame.length} bytes, the gateway takes ${frameBytes}`
      throw new PorthouseError('FRAME_TOO_LARGE', { detail })
    }
    this.#outgoing.push(frame)
    if (this.#outgoing.length === 1) afterTurn(() => this.#flush())
  }

  /** The gateway said why it is about to close. */
  dropped(error: PorthouseError): void {
    this.#error ??= error
    this.#deadline(CLOSE_MS, () => this.fail(error))
  }

  /** Gives it up at once. */
  fail(error: PorthouseError): void {
    if (this.#over) return
    const close = closeCode(error.code)
    // Codes below 3000 are not for a page to send.
    this.#socket.close(close < 3000 ? 1000 : close)
    this.#socket.terminate?.()
    this.#finish(error)
  }

  /** Sends what was pushed, and closes in order; `closed` is called within a second. */
  close(): void {
    this.#flush()
    this.#error = new PorthouseError('CLOSED')
    this.#deadline(CLOSE_MS, () => this.fail(new PorthouseError('CLOSED')))
    this.#socket.close(1000)
  }

  #opened(): void {
    if (this.#socket.protocol !== SUBPROTOCOL) {
      return this.fail(new PorthouseError('SUBPROTOCOL_UNSUPPORTED'))
    }
    for (const packet of packets(this.#greeting, this.#bounds())) this.#send(packet)
  }

  #received(data: unknown): void {
    try {
      if (!(data instanceof ArrayBuffer)) throw new PorthouseError('WRONG_DATA_TYPE')
      this.#heartbeat?.heard()
      const packet = new Uint8Array(data)
      this.#options.onPacket?.('received', packet)
      for (const frame of decodePacket(packet)) {
        // After a Drop nothing counts, nor after our own close.
        if (this.#over || this.#error) return
        this.#handlers.frame(frame)
      }
    } catch (cause) {
      this.fail(cause instanceof PorthouseError ? cause : new PorthouseError('INTERNAL', { cause }))
    }
  }

  #flush(): void {
    if (this.#over || this.#outgoing.length === 0 || this.#socket.readyState !== OPEN) return
    for (const packet of packets(this.#outgoing, this.#bounds())) this.#send(packet)
    this.#outgoing = []
    if (!this.#over) this.#handlers.flushed()
  }

  #send(packet: Uint8Array<ArrayBuffer>): void {
    if (this.#socket.readyState !== OPEN) return
    if (this.bufferedBytes > 2 * this.#options.queueBytes + REPLIES_BYTES_MAX) {
      const detail = 'The gateway asks on and on, and reads nothing'
      return this.fail(new PorthouseError('SLOW_CONSUMER', { detail }))
    }
    this.#heartbeat?.spoke()
    this.#options.onPacket?.('sent', packet)
    this.#socket.send(packet)
  }

  // A bound that was not told is none.
  #bounds() {
    return {
      bytes: this.#limits?.packetBytes || Number.POSITIVE_INFINITY,
      frames: this.#limits?.packetFrames || Number.POSITIVE_INFINITY,
      frameBytes: this.#limits?.frameBytes || Number.POSITIVE_INFINITY,
    }
  }

  #reason(close: number): PorthouseError {
    // A Drop with a code that this client does not know: the range of the close code tells more.
    if (this.#error && this.#error.code !== 'UNKNOWN') return this.#error
    return this.#socket.fault?.() ?? new PorthouseError(closeInfo(close), { detail: this.#detail })
  }

  #deadline(ms: number, callback: () => void): void {
    this.#cancel()
    this.#cancel = this.#options.clock.after(ms, callback)
  }

  #finish(error: PorthouseError): void {
    if (this.#over) return
    this.#over = true
    this.#cancel()
    this.#heartbeat?.stop()
    const socket = this.#socket
    socket.onopen = socket.onmessage = socket.onclose = null
    // Kept: an error event without a listener would end a Node process.
    socket.onerror = () => {}
    this.#handlers.closed(error)
  }
}
