/** One WebSocket: its bytes to the session's packets, and the session's bytes to it. */
import type { Socket } from 'node:net'
import { Code } from '@porthouse/proto/v1/code'
import { type RawData, WebSocket } from 'ws'
import type { Handshake } from '../../locks/acceptor.ts'
import type { Entry } from '../../protocol/address.ts'
import { codeInfo } from '../../protocol/codes.ts'
import { mayRead, receive } from '../../session/receive.ts'
import type { Session } from '../../session/session.ts'
import type { Sessions } from '../../session/sessions.ts'
import type { Wire } from '../../session/wire.ts'
import { linger, SLOW_LINGER_MS } from '../linger.ts'
import { packetOfJson } from '../packet-json.ts'
import { ping, positionIn } from '../ping.ts'
import { binaryLane } from './binary-lane.ts'
import { jsonLane } from './json-lane.ts'
import { tapMessages } from './message-tap.ts'

/** What a close frame may say, in bytes (RFC 6455 section 5.5). */
const REASON_BYTES_MAX = 123

export const LANES = [binaryLane, jsonLane] as const

/** Where a WebSocket leads, and what came with it. */
export interface Arrival {
  readonly entry: Entry
  readonly handshake: Handshake
}

/** Serves an accepted WebSocket of a known subprotocol until it closes. */
export function serve(
  ws: SessionSocket,
  socket: Socket,
  sessions: Sessions,
  caller: Arrival,
): void {
  const lane = ws.protocol === jsonLane.name ? jsonLane : binaryLane
  const wire = new WebSocketWire(ws, socket)
  const session = sessions.open({ wire, lane, handshake: caller.handshake })
  if (lane === binaryLane) tapMessages(socket, { ...sessions.intake, target: session })
  ws.tells(session, sessions)
  socket.on('drain', () => session.outbox.drained())
  sessions.enter(session, caller.entry)
}

/**
 * What tells its session what happens, without a listener for each of its events: four closures
 * and the table of them would be a twentieth of all that an idle socket takes (G10).
 */
export class SessionSocket extends WebSocket {
  #session: Session | undefined
  #sessions: Sessions | undefined

  tells(session: Session, sessions: Sessions): void {
    this.#session = session
    this.#sessions = sessions
  }

  override emit(event: string | symbol, ...given: unknown[]): boolean {
    const session = this.#session
    if (!session) return super.emit(event, ...given)
    switch (event) {
      case 'message':
        take(session, given[0] as RawData, given[1] as boolean)
        return true
      case 'pong':
        this.#sessions?.answered(session, positionIn(given[0] as Buffer))
        return true
      case 'error':
        // What ws refuses it has closed by itself, with its own code (PH-9.6).
        session.end()
        return true
      case 'close':
        session.leaves = LEAVING.has(given[0] as number)
        session.end()
    }
    return super.emit(event, ...given)
  }
}

function take(session: Session, data: RawData, isBinary: boolean): void {
  const { lane } = session
  if (isBinary !== (lane === binaryLane)) {
    return session.drop(Code.WRONG_DATA_TYPE, `not what ${lane.name} speaks`)
  }
  if (isBinary) receive(session, bufferOf(data))
  else receiveJson(session, bufferOf(data))
}

/** Close codes by which a client leaves on purpose: RFC 6455 section 7.4.1; none is one of them. */
const LEAVING = new Set([1000, 1001, 1005])

export function receiveJson(session: Session, text: Buffer): void {
  if (!mayRead(session, text.length)) return
  try {
    const packet = packetOfJson(text.toString())
    session.tally.bytesIn += text.length - packet.length
    // Blanks and fields that nobody knows are work as well.
    if (!session.unlocked) session.limboBytes += Math.max(0, text.length - packet.length)
    receive(session, packet)
  } catch (error) {
    session.fail(error)
  }
}

/** ws gives one Buffer, as long as nobody asks it for another type. */
function bufferOf(data: RawData): Buffer {
  return data as Buffer
}

export class WebSocketWire implements Wire {
  readonly isPlain = true
  readonly #ws: WebSocket
  readonly #socket: Socket

  constructor(ws: WebSocket, socket: Socket) {
    this.#ws = ws
    this.#socket = socket
  }

  get closed(): Promise<void> {
    if (this.#ws.readyState === this.#ws.CLOSED) return Promise.resolve()
    return new Promise((resolve) => this.#ws.once('close', () => resolve()))
  }

  write(bytes: Buffer): void {
    // Nothing may come after a close frame, which ws answers by itself (RFC 6455 section 5.5.1).
    if (this.#ws.readyState === this.#ws.OPEN) this.#socket.write(bytes)
  }

  get buffered(): number {
    return this.#socket.writableLength
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    if (!this.#ws.isPaused) this.#socket.resume()
  }

  get paused(): boolean {
    return this.#socket.isPaused()
  }

  ping(position: number): boolean {
    return ping(this.#ws, position)
  }

  close(code: Code, detail: string): void {
    closeWith(this.#ws, code, detail)
    // Who does not read will not answer either, and reads what the system has taken, if ever.
    if (code === Code.SLOW_CONSUMER) {
      linger(this.#ws, 'close', SLOW_LINGER_MS, () => this.#socket.destroySoon())
    }
    // The peer's close frame is still to be read.
    this.resume()
  }

  terminate(): void {
    this.#ws.terminate()
  }
}

/** UNSPECIFIED is the answer to a client that leaves: an ordinary end. */
export function closeWith(ws: WebSocket, code: Code, detail: string): void {
  if (code === Code.UNSPECIFIED) return ws.close(1000)
  const { name, websocketClose } = codeInfo(code)
  const reason = Buffer.from(`${name}: ${detail}`).subarray(0, REASON_BYTES_MAX)
  ws.close(websocketClose, reason.toString().replace(/\uFFFD+$/, ''))
}
