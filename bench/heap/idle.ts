/** Connections that are in a room and say nothing, as in W4. */
import { connectAsync, type MqttClient } from 'mqtt'
import { WebSocket } from 'ws'
import type { Server } from '../process.ts'
import { login } from '../rooms.ts'

/** Member n is in the room n modulo this. */
export const ROOMS = 500
/** On their way in at a time. */
const CROWD = 32
/** Longer than anything here takes, so that nobody has to ping. */
const KEEP_ALIVE_SECONDS = 600

export type Protocol = 'websocket' | 'mqtt'

type Close = () => void

const open: Record<Protocol, (server: Server, n: number) => Promise<Close>> = {
  async websocket({ port }, n) {
    const url = `ws://127.0.0.1:${port}/bench/w2-${n % ROOMS}`
    const socket = new WebSocket(url, 'porthouse.v1', { perMessageDeflate: false })
    // The first packet says that it is in its room.
    await new Promise((resolve, reject) => socket.once('message', resolve).once('error', reject))
    return () => socket.terminate()
  },
  async mqtt({ ports }, n) {
    const { user: username, password } = login
    const url = `mqtt://127.0.0.1:${ports.at(-1)}`
    const keepalive = KEEP_ALIVE_SECONDS
    const options = { clientId: `bench-${n}`, username, password, keepalive, reconnectPeriod: 0 }
    const client: MqttClient = await connectAsync(url, options)
    await client.subscribeAsync(`bench/w2-${n % ROOMS}`)
    return () => client.end(true)
  },
}

export class Crowd {
  readonly #server: Server
  readonly #protocol: Protocol
  readonly #closes: Close[] = []

  constructor(server: Server, protocol: Protocol) {
    this.#server = server
    this.#protocol = protocol
  }

  /** Resolves when there are so many, all in their rooms. */
  async grow(count: number): Promise<void> {
    while (this.#closes.length < count) {
      const first = this.#closes.length
      const some = Array.from({ length: Math.min(CROWD, count - first) }, (_, i) => first + i)
      const enter = open[this.#protocol]
      this.#closes.push(...(await Promise.all(some.map((n) => enter(this.#server, n)))))
    }
  }

  close(): void {
    for (const close of this.#closes) close()
  }
}
