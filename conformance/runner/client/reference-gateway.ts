/** The gateway that a client under test speaks to: it does what the case's script says. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { fromJson, type JsonObject } from '@bufbuild/protobuf'
import type { Accept, ClientCase, Refuse } from '@porthouse/proto/conformance/v1/client_suite'
import { Transport } from '@porthouse/proto/conformance/v1/transport'
import { WelcomeSchema } from '@porthouse/proto/v1/frame'
import { type WebSocket, WebSocketServer } from 'ws'
import { fill, type Variables } from '../template.ts'
import type { Connection, ConnectionHost } from './connection.ts'
import { type Arrival, awaitConnect, refuseConnect, requestOf } from './mqtt-arrival.ts'
import { MqttConnection } from './mqtt-connection.ts'
import { PlainGateway } from './plain-gateway.ts'
import { ReturnRules } from './return-rules.ts'
import { Script } from './script.ts'
import { WebSocketConnection } from './websocket-connection.ts'
import { World } from './world.ts'

/** As a gateway has them by default. */
const LIMITS = {
  packetBytes: 1_048_576,
  packetFrames: 1024,
  frameBytes: 524_288,
  payloadBytes: 262_144,
  headersBytes: 8192,
  headers: 64,
  destinations: 64,
  nameBytes: 512,
  channelBytes: 255,
  channelLevels: 16,
  lockDepth: 16,
  rooms: 1024,
  subscriptions: 1024,
}

/** Longer than a case takes: what is about it says its own. */
const HEARTBEAT_MS = 30_000

export interface ReferenceOptions {
  readonly theCase: ClientCase
  readonly transport: Transport
  readonly variables: Variables
  readonly trace: (line: string) => void
}

export class ReferenceGateway {
  /** What the client did that no client may do, and what the script did not expect. */
  readonly failures: string[] = []
  readonly #options: ReferenceOptions
  readonly #server: Server
  readonly #sockets = new Set<Duplex>()
  readonly #world = new World()
  readonly #returns: ReturnRules
  readonly #script: Script
  readonly #finished = Promise.withResolvers<void>()
  #port = 0
  #connections = 0
  #isOver = false

  static async start(options: ReferenceOptions): Promise<ReferenceGateway> {
    const gateway = new ReferenceGateway(options)
    await gateway.#listen()
    gateway.#script.start()
    return gateway
  }

  private constructor(options: ReferenceOptions) {
    this.#options = options
    const { theCase, variables, trace } = options
    const broke = (clause: string, what: string) => this.#broke(clause, what)
    this.#returns = new ReturnRules(broke)
    this.#script = new Script(theCase.gateway, {
      variables,
      trace,
      broke,
      answers: !theCase.answers?.none,
      complete: (frame) => this.#complete(frame),
      goAway: (ms, back) => this.#goAway(ms, back),
      finished: () => this.#finished.resolve(),
    })
    this.#server = this.#isMqtt ? this.#mqttServer() : this.#webSocketServer()
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  get #isMqtt(): boolean {
    return this.#options.transport === Transport.MQTT3
  }

  #mqttServer(): Server {
    const broke = (clause: string, what: string) => this.#broke(clause, what)
    const arrived = (arrival: Arrival) => this.#arrived(arrival)
    return createTcpServer((socket) => awaitConnect(socket, { arrived, broke }))
  }

  #webSocketServer(): Server {
    const server = createServer((_, response) => response.writeHead(426).end())
    return server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  get url(): string {
    return `${this.#isMqtt ? 'mqtt' : 'ws'}://127.0.0.1:${this.#port}`
  }

  /** Of the step that is not over; undefined where the script is done. */
  get waitsFor(): string | undefined {
    return this.#script.waitsFor
  }

  /** Resolves when the script is done. */
  get finished(): Promise<void> {
    return this.#finished.promise
  }

  async stop(): Promise<void> {
    this.#isOver = true
    this.#script.stop()
    for (const socket of this.#sockets) socket.destroy()
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve))
  }

  #broke(clause: string, what: string): void {
    if (this.#isOver) return
    const failure = `${clause}: ${what}`
    this.#options.trace(`! ${failure}`)
    if (!this.failures.includes(failure)) this.failures.push(failure)
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  #goAway(ms: number, back: () => void): void {
    this.#server.close()
    setTimeout(async () => {
      if (this.#isOver) return
      await this.#listen()
      back()
    }, ms)
  }

  #arrived({ socket, reader, connect }: Arrival): void {
    this.#options.trace(`connection ${JSON.stringify(requestOf(connect))}`)
    this.#returns.opened()
    const handshake = this.#script.offered(requestOf(connect))
    if (handshake.kind === 'hang') return
    if (handshake.kind === 'refuse') {
      refuseConnect(socket, handshake.refuse.status)
      return this.#returns.ended(1006, 0)
    }
    const plain = this.#plain()
    this.#script.opened(new MqttConnection({ socket, reader, connect }, plain, this.#host()))
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { url = '', headers } = request
    this.#options.trace(`connection ${url} ${headers['sec-websocket-protocol'] ?? ''}`)
    this.#returns.opened()
    const handshake = this.#script.offered({ path: url, headers: headers as JsonObject })
    if (handshake.kind === 'hang') return
    if (handshake.kind === 'refuse') return this.#refuse(socket, handshake.refuse)
    const server = new WebSocketServer({
      noServer: true,
      autoPong: false,
      clientTracking: false,
      perMessageDeflate: false,
      handleProtocols: (offered) => this.#subprotocol(offered, handshake.accept),
    })
    server.once('wsClientError', (error) => this.#broke('PH-1.1', error.message))
    server.handleUpgrade(request, socket, head, (accepted) => this.#accepted(accepted, request))
  }

  #subprotocol(offered: Set<string>, accept: Accept | undefined): string | false {
    const isJson = this.#options.transport === Transport.JSON
    const right = isJson ? 'porthouse.v1.json' : 'porthouse.v1'
    if (!offered.has(right)) this.#broke('PH-1.2', `it offers ${[...offered]}, not ${right}`)
    if (accept?.noSubprotocol) return false
    return accept?.subprotocol || right
  }

  #refuse(socket: Duplex, { status, code, body: given }: Refuse): void {
    const body = given || (code ? JSON.stringify({ code, status, title: code }) : '')
    const head = [
      `HTTP/1.1 ${status} Refused`,
      'Connection: close',
      ...(body ? ['Content-Type: application/problem+json'] : []),
      `Content-Length: ${body.length}`,
    ]
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
    this.#returns.ended(1006, 0)
  }

  #accepted(socket: WebSocket, request: IncomingMessage): void {
    const isJson = this.#options.transport === Transport.JSON
    const plain = this.#plain()
    const connection = new WebSocketConnection({ socket, request, isJson }, plain, this.#host())
    this.#script.opened(connection)
  }

  /** Of the next connection. */
  #plain(): PlainGateway {
    this.#connections++
    return new PlainGateway(this.#world, fromJson(WelcomeSchema, this.#welcome()))
  }

  #host(): ConnectionHost {
    return {
      broke: (clause, what) => this.#broke(clause, what),
      trace: this.#options.trace,
      packet: (from, frames) => this.#packet(from, frames),
      ponged: (from) => this.#script.ponged(from),
      closed: (from) => {
        this.#returns.ended(from.closeCode, from.retryAfterMs, from.droppedAtMs)
        this.#script.closed(from)
      },
    }
  }

  #packet(connection: Connection, frames: Parameters<Script['packet']>[1]): void {
    for (const { body } of frames) if (body.case === 'envelope') this.#returns.envelope(body.value)
    this.#script.packet(connection, frames)
  }

  /** The JSON form of the newest connection's Welcome. */
  #welcome(): JsonObject {
    const name = this.#connections.toString(32).padStart(16, 'a').replaceAll(/[01]/g, 'z')
    const { welcome = {} } = this.#options.theCase.answers ?? {}
    const { limits = {}, ...rest } = fill(welcome, this.#options.variables) as JsonObject
    const socket = `socket:${name}`
    const bounds = { ...LIMITS, ...(limits as JsonObject) }
    return { socket, limits: bounds, heartbeatMs: HEARTBEAT_MS, ...rest }
  }

  /** What a script leaves out is the gateway's own; null stands for nothing. */
  #complete(frame: JsonObject): JsonObject {
    const { welcome, envelope, receipt } = frame as Record<string, JsonObject | undefined>
    const id = Buffer.from(this.#world.uuid()).toString('base64')
    if (welcome) return { ...frame, welcome: { ...this.#welcome(), ...welcome } }
    if (receipt) return { ...frame, receipt: { id, ...receipt } }
    if (!envelope) return frame
    const from = 'socket:bbbbbbbbbbbbbbbb'
    const timeMs = '1767225600000'
    const given = envelope.stamp as JsonObject | undefined
    return { ...frame, envelope: { ...envelope, stamp: { id, from, timeMs, ...given } } }
  }
}
