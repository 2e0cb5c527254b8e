/** MQTT packets on a TCP connection, and nothing that a client would do by itself. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { generate, type Packet, parser } from 'mqtt-packet'
import { Unmet } from '../../connection.ts'

/** Of the protocol as CONNECT has it: 4 is MQTT 3.1.1. */
export type Version = 4 | 5

export interface Listener {
  packet(packet: Packet): void
  /** What came is no MQTT. */
  broken(why: string): void
  ended(): void
}

export class MqttWire {
  readonly version: Version
  readonly #socket: Socket
  #hasEnded = false

  /** Throws Unmet where nobody listens. */
  static async to(url: string, version: Version): Promise<MqttWire> {
    const { hostname, port } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port || 1883), noDelay: true })
    try {
      await once(socket, 'connect')
    } catch (error) {
      throw new Unmet(`the connection failed: ${(error as Error).message}`)
    }
    return new MqttWire(socket, version)
  }

  private constructor(socket: Socket, version: Version) {
    this.#socket = socket
    this.version = version
  }

  /** Whoever hears what comes from now on. Called once. */
  listen(listener: Listener): void {
    const reader = parser({ protocolVersion: this.version })
    reader.on('packet', (packet) => listener.packet(packet))
    reader.on('error', (error: Error) => listener.broken(error.message))
    this.#socket.on('data', (bytes) => reader.parse(bytes))
    // A reset is an end as any other.
    this.#socket.on('error', () => {})
    this.#socket.once('close', () => {
      this.#hasEnded = true
      listener.ended()
    })
  }

  write(packet: Packet): void {
    this.bytes(generate(packet, { protocolVersion: this.version }))
  }

  bytes(bytes: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes)
  }

  pause(isPaused: boolean): void {
    if (isPaused) this.#socket.pause()
    else this.#socket.resume()
  }

  /** Resolves when the other side knows. */
  async end(isCut: boolean): Promise<void> {
    if (this.#hasEnded) return
    const closed = once(this.#socket, 'close')
    this.#socket.resume()
    if (isCut && this.#socket.readyState === 'open') this.#socket.resetAndDestroy()
    else if (isCut) this.#socket.destroy()
    else this.#socket.end()
    await closed
  }
}
