/** The binary messages of a WebSocket as one stream of bytes; where they end means nothing. */
import { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { ping, positionIn } from '../../ping.ts'
import type { Carrier } from './serve.ts'

/** RFC 6455 section 7.4.1: a kind of data that is not taken here. */
const UNSUPPORTED_DATA = 1003

/**
 * Ends once the WebSocket is closed and what came before is read; destroyed, it goes without a
 * close frame.
 */
export class WebSocketStream extends Duplex implements Carrier {
  readonly #ws: WebSocket

  constructor(ws: WebSocket) {
    super({ allowHalfOpen: false })
    this.#ws = ws
    ws.on('message', (data, isBinary) => {
      // MQTT 5 section 6.0.0-1 and MQTT 3.1.1 section 6.0.0-1: text ends the connection.
      if (!isBinary) return ws.close(UNSUPPORTED_DATA, 'MQTT is binary')
      // ws gives one Buffer, as long as nobody asks it for another type.
      if (ws.readyState === ws.OPEN && !this.push(data)) ws.pause()
    })
    ws.on('pong', (bytes) => this.emit('pong', positionIn(bytes)))
    // What ws refuses it has closed by itself, with its own code.
    ws.on('error', () => undefined)
    ws.on('close', () => this.push(null))
  }

  /** Behind all that it has handed on; what still waits in it is little. */
  ping(position: number): boolean {
    return ping(this.#ws, position)
  }

  override _read(): void {
    if (this.#ws.isPaused) this.#ws.resume()
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, taken: Taken): void {
    this.#send(bytes, taken)
  }

  /** What was written while it was busy goes as one message. */
  override _writev(pieces: { chunk: Buffer }[], taken: Taken): void {
    this.#send(Buffer.concat(pieces.map(({ chunk }) => chunk)), taken)
  }

  override _final(taken: Taken): void {
    this.#ws.close(1000)
    // The peer's close frame is still to be read.
    this._read()
    taken()
  }

  override _destroy(_error: Error | null, taken: Taken): void {
    this.#ws.terminate()
    taken(null)
  }

  #send(bytes: Buffer, taken: Taken): void {
    // Nothing may come after a close frame.
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.send(bytes, taken)
    else taken()
  }
}

type Taken = (error?: Error | null) => void
