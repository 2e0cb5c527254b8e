/** A WebSocket of the client that can be cut, and stopped from reading. */
import { type Client, type ConnectOptions, connect } from '@porthouse/client'
import { WebSocket } from 'ws'

export class Line {
  readonly client: Client
  readonly #socket: () => WebSocket

  private constructor(client: Client, socket: () => WebSocket) {
    this.client = client
    this.#socket = socket
  }

  static async open(url: string, options: ConnectOptions): Promise<Line> {
    let last: WebSocket | undefined
    class Known extends WebSocket {
      constructor(target: string, protocols: string[]) {
        super(target, protocols, { perMessageDeflate: false })
        this.on('error', () => {})
        last = this
      }
    }
    const backoff = { baseMs: 50, capMs: 200 }
    const client = await connect(url, { backoff, ...options, WebSocket: Known as never })
    return new Line(client, () => last!)
  }

  /** As if the network had gone. */
  cut(): void {
    this.#socket().terminate()
  }

  pause(): void {
    this.#socket().pause()
  }

  resume(): void {
    this.#socket().resume()
  }
}
