/** A client of a load, on a bare TCP socket: it counts what comes, and decodes none of it. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Arrivals } from './arrivals.ts'

/** Where a peer enters. */
export interface Entry {
  readonly port: number
  readonly token: string
  /** `account/room`. */
  readonly room: string
  /** It hears nothing but what answers its own. */
  readonly sendOnly: boolean
  /** It acknowledges what it hears: QoS 1, which MQTT alone has. */
  readonly acknowledges: boolean
}

/** What stands whole at the front: its size, and how much of what is due it holds. */
export interface Taken {
  readonly size: number
  readonly count: number
}

export abstract class Peer {
  /** That have come. */
  bytes = 0
  protected readonly entered = Promise.withResolvers<void>()
  readonly #socket: Socket
  readonly #arrivals: Arrivals
  #unread: Buffer = Buffer.alloc(0)

  static async dial(port: number): Promise<Socket> {
    const socket = connect(port, '127.0.0.1').setNoDelay()
    await once(socket, 'connect')
    return socket
  }

  protected constructor(socket: Socket, arrivals: Arrivals) {
    this.#socket = socket
    this.#arrivals = arrivals
    socket.on('data', (chunk) => this.#read(chunk))
    // A reset is an end like any other.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      const ended = new Error('the gateway ended a connection')
      this.entered.reject(ended)
      arrivals.fail(ended)
    })
  }

  /** The bytes of a message to its room; with an id it is to be acknowledged. */
  abstract publish(payload: Buffer, id?: number): Buffer

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  close(): void {
    this.#socket.removeAllListeners('close').destroy()
  }

  protected abstract take(bytes: Buffer): Taken | undefined

  /** All that was whole in what has been read is taken. */
  protected taken(): void {}

  #read(chunk: Buffer): void {
    this.bytes += chunk.length
    let rest = this.#unread.length > 0 ? Buffer.concat([this.#unread, chunk]) : chunk
    let came = 0
    for (let next = this.take(rest); next; next = this.take(rest)) {
      rest = rest.subarray(next.size)
      came += next.count
    }
    this.#unread = rest
    this.taken()
    if (came > 0) this.#arrivals.came(came)
  }
}
