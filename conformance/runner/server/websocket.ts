/** A WebSocket of the reference client, porthouse.v1 or porthouse.v1.json. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import {
  create,
  fromBinary,
  fromJson,
  fromJsonString,
  type JsonObject,
  type JsonValue,
  toBinary,
  toJson,
  toJsonString,
} from '@bufbuild/protobuf'
import { ValueSchema } from '@bufbuild/protobuf/wkt'
import type { Open, Raw } from '@porthouse/proto/conformance/v1/server_suite'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import { type Frame, FrameSchema, type Packet, PacketSchema } from '@porthouse/proto/v1/frame'
import { WebSocket } from 'ws'
import { codeNamed } from '../codes.ts'
import { type Connection, type Dial, type Opened, Unmet } from '../connection.ts'
import { Inbox } from '../inbox.ts'
import { fill, type Variables } from '../template.ts'
import { WireRules } from './wire-rules.ts'

/** Opens one; `'refused'` where the handshake was refused with the code that the case expects. */
export async function openWebSocket(dial: Dial, isJson: boolean): Promise<Opened> {
  const { open, variables, httpUrl } = dial
  const path = open.path ? String(fill(open.path, variables)) : '/v1/ws'
  const offered = protocolsOf(open, isJson)
  const socket = new WebSocket(`${httpUrl.replace('http', 'ws')}${path}`, offered, {
    perMessageDeflate: false,
    autoPong: false,
    headers: fill(open.headers, variables) as Record<string, string>,
  })
  const connection = new WebSocketConnection(socket, isJson, dial)
  const refused = await connection.opened
  if (!refused) {
    if (open.refused) throw new Unmet(`the handshake was not refused with ${open.refused}`)
    const chosen = isJson ? 'porthouse.v1.json' : 'porthouse.v1'
    if (socket.protocol !== chosen) throw new Unmet(`the subprotocol is ${socket.protocol}`)
    return connection
  }
  if (!open.refused) throw new Unmet(`the handshake was refused: ${refused.statusCode}`)
  await checkRefusal(refused, open.refused)
  return 'refused'
}

function protocolsOf({ subprotocols }: Open, isJson: boolean): string[] {
  if (subprotocols.length === 0) return [isJson ? 'porthouse.v1.json' : 'porthouse.v1']
  return subprotocols.filter((name) => name !== 'none')
}

/** PH-1.5: the status of the code, and a problem that names it. */
async function checkRefusal(response: IncomingMessage, name: string): Promise<void> {
  const { httpStatus } = codeNamed(name)
  if (response.statusCode !== httpStatus) {
    throw new Unmet(`the handshake was refused with ${response.statusCode}, not ${httpStatus}`)
  }
  let body = ''
  for await (const chunk of response) body += chunk
  if (!response.headers['content-type']?.startsWith('application/problem+json')) {
    throw new Unmet(`the refusal is no application/problem+json: ${body}`)
  }
  const { code } = JSON.parse(body) as { code?: string }
  if (code !== name) throw new Unmet(`the refusal names ${code}, not ${name}`)
}

class WebSocketConnection implements Connection {
  readonly inbox = new Inbox()
  /** Resolves with the answer that refused the upgrade, or with undefined once it is open. */
  readonly opened: Promise<IncomingMessage | undefined>
  readonly #socket: WebSocket
  readonly #isJson: boolean
  readonly #trace: Dial['trace']
  readonly #rules: WireRules
  #wire: Socket | undefined
  #packets = 0
  #isSilent = false
  #fences: (() => void)[] = []
  #drop: string | undefined

  constructor(socket: WebSocket, isJson: boolean, { trace }: Dial) {
    this.#socket = socket
    this.#isJson = isJson
    this.#trace = trace
    this.#rules = new WireRules()
    this.opened = new Promise((resolve, reject) => {
      socket.once('open', () => resolve(undefined))
      socket.once('unexpected-response', (_request, response) => resolve(response))
      socket.on('error', (error) => {
        trace(`error ${error.message}`)
        reject(new Unmet(`the connection failed: ${error.message}`))
      })
    })
    socket.once('upgrade', (response) => {
      this.#wire = response.socket
    })
    socket.on('ping', (data) => {
      if (!this.#isSilent) socket.pong(data)
    })
    socket.on('message', (data: Buffer, isBinary) => this.#take(data, isBinary))
    socket.once('close', (closeCode) => this.#close(closeCode))
  }

  get violations(): readonly string[] {
    return this.#rules.violations
  }

  async send(frames: readonly JsonObject[]): Promise<void> {
    const packet = fromJson(PacketSchema, { frames: [...frames] })
    for (const frame of packet.frames) this.#rules.sent(frame)
    this.#write(packet)
  }

  async raw({ content }: Raw, variables: Variables): Promise<void> {
    this.#rules.lenient()
    if (content.case === 'text') this.#socket.send(String(fill(content.value, variables)))
    if (content.case === 'hex') this.#socket.send(Buffer.from(content.value, 'hex'))
    if (content.case === 'wireHex') this.#wire!.write(Buffer.from(content.value, 'hex'))
    if (content.case !== 'extended') return
    const { frame, frameTailHex, envelopeTailHex } = content.value
    const message = fromJson(FrameSchema, fill(toJsonOf(frame), variables))
    const bytes = extended(message, frameTailHex, envelopeTailHex)
    this.#socket.send(Buffer.concat([Buffer.from([0x0a]), varint(bytes.length), bytes]))
  }

  fence(withinMs: number): Promise<boolean> {
    if (this.inbox.ending) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), withinMs)
      this.#fences.push(() => {
        clearTimeout(timer)
        resolve(true)
      })
      this.#socket.send(this.#isJson ? '' : new Uint8Array(0))
    })
  }

  tells(expected: JsonObject): JsonObject {
    return expected
  }

  reading({ paused, silent }: { paused: boolean; silent: boolean }): void {
    this.#isSilent = silent
    if (paused) this.#socket.pause()
    else this.#socket.resume()
  }

  leave({ cut, drop }: { cut: boolean; drop: boolean }): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return Promise.resolve()
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()))
    if (drop) this.#write(fromJson(PacketSchema, { frames: [{ drop: {} }] }))
    else if (cut) this.#socket.terminate()
    else this.#socket.close(1000)
    return closed
  }

  #write(packet: Packet): void {
    this.#trace(`→ ${toJsonString(PacketSchema, packet)}`)
    this.#socket.send(
      this.#isJson ? toJsonString(PacketSchema, packet) : toBinary(PacketSchema, packet),
    )
  }

  #take(data: Buffer, isBinary: boolean): void {
    if (isBinary === this.#isJson) this.#rules.broke('PH-1.4', 'a message of the wrong data type')
    if (data.length === 0) {
      this.#trace('← heartbeat')
      this.#fences.shift()?.()
      return
    }
    const frames = this.#read(data)
    const packet = this.#packets++
    this.#trace(`← ${JSON.stringify(frames.map((frame) => toJson(FrameSchema, frame)))}`)
    for (const frame of frames) {
      this.#rules.came(frame)
      if (frame.body.case === 'drop' && frame.id === 0) {
        this.#drop = String((toJson(FrameSchema, frame) as { drop: JsonObject }).drop.code ?? '')
        continue
      }
      const isEnvelope = frame.body.case === 'envelope'
      this.inbox.push({
        frame: toJson(FrameSchema, frame) as JsonObject,
        packet,
        envelope: isEnvelope ? toBinary(EnvelopeSchema, frame.body.value as never) : undefined,
      })
    }
  }

  #read(data: Buffer): Frame[] {
    try {
      return this.#isJson
        ? fromJsonString(PacketSchema, data.toString()).frames
        : fromBinary(PacketSchema, new Uint8Array(data)).frames
    } catch (error) {
      this.#rules.broke('PH-2.1', `no Packet: ${(error as Error).message}`)
      return []
    }
  }

  #close(closeCode: number): void {
    this.#trace(`← closed ${closeCode}`)
    for (const done of this.#fences.splice(0)) done()
    const code = this.#drop?.replace(/^CODE_/, '')
    if (code !== undefined) this.#rules.closed(code, closeCode)
    this.inbox.end({ code, closeCode })
  }
}

/** The frame's bytes with fields at its end that its schema does not have. */
function extended(frame: Frame, frameTailHex: string, envelopeTailHex: string): Buffer {
  const tail = Buffer.from(frameTailHex, 'hex')
  if (envelopeTailHex === '' || frame.body.case !== 'envelope') {
    return Buffer.concat([toBinary(FrameSchema, frame), tail])
  }
  const head = toBinary(FrameSchema, create(FrameSchema, { id: frame.id }))
  const body = toBinary(EnvelopeSchema, frame.body.value)
  const envelope = Buffer.concat([body, Buffer.from(envelopeTailHex, 'hex')])
  return Buffer.concat([head, Buffer.from([0x2a]), varint(envelope.length), envelope, tail])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128)
  return Buffer.from([...bytes, rest])
}

/** google.protobuf.Value as the JSON that it is. */
export function toJsonOf(value: { kind: unknown } | undefined): JsonValue {
  if (!value) throw new TypeError('a template is missing')
  return toJson(ValueSchema, value as never)
}
