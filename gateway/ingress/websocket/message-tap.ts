/**
 * A short way in for what nearly all input is: whole, small, binary WebSocket messages. They are
 * unmasked and handed over at once; every other byte goes to the `ws` library's own receiver, which
 * stays the judge of what is legal. See docs/decisions on why, with figures.
 */
import type { Socket } from 'node:net'

type DataListener = (chunk: Buffer) => void

/** A message lies in bytes[start, end), which are the receiver's for the time of the call. */
export type Deliver = (bytes: Buffer, start: number, end: number) => void

/** FIN and an opcode, as in the first byte of a frame. */
const WHOLE_BINARY = 0x82
const PING = 0x89
const PONG = 0x8a
const MASKED = 0x80

/** What a ping or pong may hold, in bytes (RFC 6455 section 5.5). */
const CONTROL_BYTES_MAX = 125

/**
 * Takes the place of the one `data` listener that `ws` has on the socket. `deliver` gets messages that
 * came the short way; the others arrive as `ws` events, in the same order.
 */
export function tapMessages(socket: Socket, bytesMax: number, deliver: Deliver): void {
  const [toWs, ...others] = socket.listeners('data') as DataListener[]
  if (!toWs || others.length > 0) throw new Error('ws has not one data listener on its socket')
  const tap = new MessageTap((chunk) => toWs.call(socket, chunk), bytesMax, deliver)
  const take = (chunk: Buffer) => {
    const rest = tap.take(chunk)
    if (!rest) return
    socket.on('data', toWs).off('data', take)
    toWs.call(socket, rest)
  }
  socket.off('data', toWs).on('data', take)
}

class MessageTap {
  readonly #toWs: DataListener
  readonly #bytesMax: number
  readonly #deliver: Deliver
  /** The start of a header whose rest has not come, fewer than 14 bytes. */
  #stub: Buffer | undefined
  /** Bytes of the frame under way that go to `ws`. */
  #passing = 0

  constructor(toWs: DataListener, bytesMax: number, deliver: Deliver) {
    this.#toWs = toWs
    this.#bytesMax = bytesMax
    this.#deliver = deliver
  }

  /**
   * Gives what lies from the first frame on that is something else than a whole binary message of legal
   * size, a ping or a pong: a fragment, text, a close, or a frame that is illegal. `ws` then gets all
   * that follows, for it may refuse such a frame only later, and nothing after it must count.
   */
  take(received: Buffer): Buffer | undefined {
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
        return undefined
      } else if (this.#isPlain(chunk, pos)) pos = this.#frame(chunk, pos)
      else return chunk.subarray(pos)
    }
    return undefined
  }

  #isPlain(chunk: Buffer, pos: number): boolean {
    if (!isMasked(chunk, pos)) return false
    const first = chunk[pos] as number
    if (first === WHOLE_BINARY) return payloadSize(chunk, pos) <= this.#bytesMax
    return (first === PING || first === PONG) && payloadSize(chunk, pos) <= CONTROL_BYTES_MAX
  }

  #frame(chunk: Buffer, pos: number): number {
    const start = pos + headerSize(chunk, pos)
    const end = start + payloadSize(chunk, pos)
    if (chunk[pos] === WHOLE_BINARY && end <= chunk.length) {
      unmask(chunk, start, end)
      this.#deliver(chunk, start, end)
      return end
    }
    this.#passing = end - pos
    return this.#pass(chunk, pos)
  }

  #pass(chunk: Buffer, pos: number): number {
    const end = Math.min(chunk.length, pos + this.#passing)
    this.#passing -= end - pos
    this.#toWs(chunk.subarray(pos, end))
    return end
  }
}

function isWholeHeader(chunk: Buffer, pos: number): boolean {
  return chunk.length - pos >= 2 && chunk.length - pos >= headerSize(chunk, pos)
}

function isMasked(chunk: Buffer, pos: number): boolean {
  return ((chunk[pos + 1] as number) & MASKED) !== 0
}

function headerSize(chunk: Buffer, pos: number): number {
  const size = (chunk[pos + 1] as number) & 0x7f
  return 2 + (size === 126 ? 2 : size === 127 ? 8 : 0) + (isMasked(chunk, pos) ? 4 : 0)
}

function payloadSize(chunk: Buffer, pos: number): number {
  const size = (chunk[pos + 1] as number) & 0x7f
  if (size === 126) return chunk.readUInt16BE(pos + 2)
  return size === 127 ? Number(chunk.readBigUInt64BE(pos + 2)) : size
}

/** In place; the mask lies right before the payload. */
function unmask(chunk: Buffer, start: number, end: number): void {
  const m0 = chunk[start - 4] as number
  const m1 = chunk[start - 3] as number
  const m2 = chunk[start - 2] as number
  const m3 = chunk[start - 1] as number
  let i = start
  for (; i + 3 < end; i += 4) {
    chunk[i] = (chunk[i] as number) ^ m0
    chunk[i + 1] = (chunk[i + 1] as number) ^ m1
    chunk[i + 2] = (chunk[i + 2] as number) ^ m2
    chunk[i + 3] = (chunk[i + 3] as number) ^ m3
  }
  if (i < end) chunk[i] = (chunk[i] as number) ^ m0
  if (i + 1 < end) chunk[i + 1] = (chunk[i + 1] as number) ^ m1
  if (i + 2 < end) chunk[i + 2] = (chunk[i + 2] as number) ^ m2
}
