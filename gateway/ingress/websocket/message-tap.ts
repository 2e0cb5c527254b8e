/**
 * A short way in for what nearly all input is: whole, small, binary WebSocket messages. They are
 * unmasked and handed over as they are; every other byte goes to the `ws` library's own receiver,
 * which stays the judge of what is legal. See docs/decisions/0005.
 */
import type { Socket } from 'node:net'
import type { Flushable, Turn } from '../../router/turn.ts'
import {
  BINARY,
  headerSize,
  isMasked,
  isWholeHeader,
  PING,
  PONG,
  payloadSize,
  unmask,
} from './framing.ts'

type DataListener = (chunk: Buffer) => void

/**
 * Takes a message for a target. It lies in bytes[start, end), which are the taker's for the time of
 * the call.
 */
type Deliver<Target> = (target: Target, bytes: Buffer, start: number, end: number) => void

export interface TapOptions<Target> {
  readonly turn: Turn
  /** Largest message, in bytes. */
  readonly bytesMax: number
  readonly deliver: Deliver<Target>
  readonly target: Target
}

/** What a ping or pong may hold, in bytes (RFC 6455 section 5.5). */
const CONTROL_BYTES_MAX = 125

/**
 * Takes the place of the one `data` listener that `ws` has on the socket. `deliver` gets messages
 * that came the short way; the others arrive as `ws` events, in the same order.
 */
export function tapMessages<Target>(socket: Socket, options: TapOptions<Target>): void {
  const [toWs, ...others] = socket.listeners('data') as DataListener[]
  if (!toWs || others.length > 0) throw new Error('ws has not one data listener on its socket')
  const tap = new MessageTap(socket, toWs, options)
  socket.off('data', toWs).on('data', tap.read)
  // What was read before the end is handled before ws hears of it.
  const flush = () => tap.flush()
  socket.prependListener('end', flush).prependListener('close', flush)
}

class MessageTap<Target> implements Flushable {
  /** Read in this turn; mostly one chunk. */
  #chunk: Buffer | undefined
  #more: Buffer[] | undefined
  readonly #turn: Turn
  readonly #target: Target
  readonly #deliver: Deliver<Target>
  readonly #bytesMax: number
  readonly #socket: Socket
  readonly #toWs: DataListener
  /** The start of a header whose rest has not come, fewer than 14 bytes. */
  #stub: Buffer | undefined
  /** Bytes of the frame under way that go to `ws`. */
  #passing = 0
  /** `ws` has its listener back. */
  #over = false

  constructor(socket: Socket, toWs: DataListener, options: TapOptions<Target>) {
    this.#socket = socket
    this.#toWs = toWs
    this.#turn = options.turn
    this.#target = options.target
    this.#deliver = options.deliver
    this.#bytesMax = options.bytesMax
  }

  readonly read = (chunk: Buffer): void => {
    if (this.#more) this.#more.push(chunk)
    else if (this.#chunk) this.#more = [chunk]
    else {
      this.#chunk = chunk
      this.#turn.read(this)
    }
  }

  flush(): void {
    const chunk = this.#chunk
    const more = this.#more
    this.#chunk = undefined
    this.#more = undefined
    if (chunk) this.#handle(chunk)
    for (const each of more ?? []) this.#handle(each)
  }

  #handle(chunk: Buffer): void {
    if (this.#over) this.#give(chunk)
    else this.#take(chunk)
  }

  /** To `ws`, unless it has stopped listening. */
  #give(chunk: Buffer): void {
    if (!this.#over || this.#socket.listenerCount('data') > 0) this.#toWs.call(this.#socket, chunk)
  }

  /**
   * After the first frame that is something else than a binary message, a ping or a pong of legal
   * size (a fragment, text, a close, or what is illegal) `ws` gets all that follows: it may refuse
   * such a frame only later, and nothing after it must count.
   */
  #take(received: Buffer): void {
    let chunk = received
    if (this.#stub) {
      chunk = Buffer.concat([this.#stub, received])
      this.#stub = undefined
    }
    let pos = 0
    while (pos < chunk.length) {
      if (this.#passing > 0) pos = this.#pass(chunk, pos)
      else if (!isWholeHeader(chunk, pos)) {
        // A copy, so that a few bytes do not keep a whole read buffer.
        this.#stub = Buffer.from(chunk.subarray(pos))
        return
      } else if (this.#isPlain(chunk, pos)) pos = this.#frame(chunk, pos)
      else {
        this.#over = true
        this.#socket.off('data', this.read).on('data', this.#toWs)
        return this.#give(chunk.subarray(pos))
      }
    }
  }

  #isPlain(chunk: Buffer, pos: number): boolean {
    if (!isMasked(chunk, pos)) return false
    const first = chunk[pos] as number
    if (first === BINARY) return payloadSize(chunk, pos) <= this.#bytesMax
    return (first === PING || first === PONG) && payloadSize(chunk, pos) <= CONTROL_BYTES_MAX
  }

  #frame(chunk: Buffer, pos: number): number {
    const start = pos + headerSize(chunk, pos)
    const end = start + payloadSize(chunk, pos)
    if (chunk[pos] === BINARY && end <= chunk.length) {
      unmask(chunk, start, end)
      this.#deliver(this.#target, chunk, start, end)
      return end
    }
    this.#passing = end - pos
    return this.#pass(chunk, pos)
  }

  #pass(chunk: Buffer, pos: number): number {
    const end = Math.min(chunk.length, pos + this.#passing)
    this.#passing -= end - pos
    this.#give(chunk.subarray(pos, end))
    return end
  }
}
