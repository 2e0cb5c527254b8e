/** The network between a client and a server, which a test can cut and mend, and listen to. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'

type Hear = (client: Socket, chunk: Buffer) => void

export class Relay implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isCut = false

  /** To a port of this machine; `hear` gets what comes from each client. */
  static async to(port: number, hear?: Hear): Promise<Relay> {
    const server = createServer()
    const relay = new Relay(server, port, hear)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return relay
  }

  private constructor(server: Server, port: number, hear?: Hear) {
    this.#server = server
    server.on('connection', (near) => {
      if (this.#isCut) return near.destroy()
      const far = connect(port, '127.0.0.1')
      if (hear) near.on('data', (chunk: Buffer) => hear(near, chunk))
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket)
        socket.pipe(other)
        // A cut is what the test wants.
        socket.on('error', () => {})
        socket.on('close', () => {
          this.#sockets.delete(socket)
          other.destroy()
        })
      }
      return undefined
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Ends all connections, and lets no other through until `mend`. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  mend(): void {
    this.#isCut = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
