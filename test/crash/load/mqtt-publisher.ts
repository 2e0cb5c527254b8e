/**
 * An MQTT client that publishes at a steady rate, comes back by itself, and then sends again what
 * was not acknowledged, with DUP and in its order, as the specification has it [MQTT-4.4.0-1].
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Packet } from 'mqtt-packet'
import { MqttClient } from '../../support/mqtt-client.ts'
import type { Published } from '../mqtt-oracle.ts'

export interface MqttPublisherOptions {
  /** Asked at each attempt, since the gateway may come back elsewhere. */
  readonly port: () => number
  readonly token: string
  /** `account/room`. */
  readonly room: string
  readonly name: string
  readonly version: 4 | 5
  readonly qos: 1 | 2
  /** Each message has an idempotency key, which MQTT 5 alone can say. */
  readonly keyed: boolean
  /** The room's history knows keys. */
  readonly isDurable: boolean
  readonly perSecond: number
}

const TICK_MS = 10
const PAUSE_MS = 20
/** Not acknowledged at once. */
const WINDOW = 32

interface Flight {
  readonly published: Published
  readonly text: string
  /** PUBREC has come, and what is sent again is PUBREL. */
  isReceived: boolean
}

export class MqttPublisher {
  readonly published: Published[] = []
  /** When acknowledgements came, by performance.now(); the last of them. */
  acknowledgedAt = 0
  readonly #options: MqttPublisherOptions
  /** By packet identifier, in the order in which they were sent. */
  readonly #flights = new Map<number, Flight>()
  readonly #timer: NodeJS.Timeout
  readonly #over: Promise<void>
  #client: MqttClient | undefined
  #messageId = 0
  #isClosed = false
  #owed = 0
  #tickedAt = performance.now()
  #settled: (() => void) | undefined

  constructor(options: MqttPublisherOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#over = this.#live()
  }

  /** How many wait for an acknowledgement of what they are. */
  get waiting(): number {
    return [...this.#flights.values()].filter(({ isReceived }) => !isReceived).length
  }

  /** Sends nothing new; resolves when all that was sent is acknowledged to the end. */
  async settle(): Promise<void> {
    clearInterval(this.#timer)
    if (this.#flights.size === 0) return
    await new Promise<void>((resolve) => {
      this.#settled = resolve
    })
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#isClosed = true
    this.#client?.reset()
    await this.#over
  }

  async #live(): Promise<void> {
    while (!this.#isClosed) {
      // However a connection ends, there is another.
      await this.#connection().catch(() => undefined)
      this.#client = undefined
      await delay(PAUSE_MS)
    }
  }

  /** Rejects when it is over. */
  async #connection(): Promise<never> {
    const { port, token, name, version } = this.#options
    const client = await MqttClient.open(port(), { version })
    const expiry = version === 5 && { properties: { sessionExpiryInterval: 3_600 } }
    const login = { username: 'acme', password: token, clientId: name, clean: false, ...expiry }
    const { returnCode, reasonCode } = await client.connect(login)
    if ((version === 5 ? reasonCode : returnCode) !== 0) throw new Error('not let in')
    for (const [messageId, flight] of this.#flights) {
      if (flight.isReceived) client.send({ cmd: 'pubrel', messageId })
      else this.#attempt(client, messageId, flight)
    }
    this.#client = client
    for (;;) this.#take(client, await client.next())
  }

  #tick(): void {
    const { room, name: publisher, qos, keyed, isDurable, perSecond } = this.#options
    const now = performance.now()
    // Of a pause, nothing is made up for.
    const ms = Math.min(now - this.#tickedAt, 10 * TICK_MS)
    this.#tickedAt = now
    if (!this.#client) return
    this.#owed += (perSecond * ms) / 1000
    for (; this.#owed >= 1; this.#owed--) {
      if (this.#flights.size >= WINDOW) continue
      const seq = this.published.length + 1
      const common = { attempts: 0, isAcknowledged: false, refusals: [] }
      const published = { room, publisher, seq, qos, isOnce: keyed && isDurable, ...common }
      this.published.push(published)
      const flight = { published, text: `${publisher}:${seq}:${now}`, isReceived: false }
      const messageId = this.#free()
      this.#flights.set(messageId, flight)
      this.#attempt(this.#client, messageId, flight)
    }
  }

  /** A packet identifier that is not in use, on whichever connection. */
  #free(): number {
    do this.#messageId = (this.#messageId % 0xffff) + 1
    while (this.#flights.has(this.#messageId))
    return this.#messageId
  }

  #attempt(client: MqttClient, messageId: number, { published, text }: Flight): void {
    const { room, qos, keyed } = this.#options
    const dup = published.attempts++ > 0
    const userProperties = { 'porthouse-key': `${published.publisher}:${published.seq}` }
    const properties = keyed && { properties: { userProperties } }
    client.sendPublish(`${room}/load`, text, { qos, dup, messageId, ...properties })
  }

  #take(client: MqttClient, packet: Packet): void {
    const { messageId = 0 } = packet
    const flight = this.#flights.get(messageId)
    if (!flight) return
    if (packet.cmd === 'puback' || packet.cmd === 'pubrec') {
      const { cmd, reasonCode = 0 } = packet
      if (reasonCode >= 0x80) flight.published.refusals.push(reasonCode)
      else flight.published.isAcknowledged = true
      this.acknowledgedAt = performance.now()
      flight.isReceived = cmd === 'pubrec' && reasonCode < 0x80
      if (flight.isReceived) client.send({ cmd: 'pubrel', messageId })
      else this.#flights.delete(messageId)
    }
    if (packet.cmd === 'pubcomp') this.#flights.delete(messageId)
    if (this.#flights.size === 0) this.#settled?.()
  }
}
