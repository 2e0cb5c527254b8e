/** A WebSocket of the reference client, porthouse.v1 or porthouse.v1.json. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import {
  create,
  type DescField,
  fromBinary,
  fromJson,
  fromJsonString,
  type JsonObject,
  toBinary,
  toJson,
  toJsonString,
} from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import type { Extended, Raw } from '@porthouse/proto/conformance/v1/server_suite'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import { type Frame, FrameSchema, type Packet, PacketSchema } from '@porthouse/proto/v1/frame'
import { WebSocket } from 'ws'
import { codeNamed } from '../codes.ts'
import { type Connection, type Dial, type Opened, Unmet } from '../connection.ts'
import { Fences } from '../fences.ts'
import { Inbox } from '../inbox.ts'
import { fill, templateOf, type Variables } from '../template.ts'
import { WireRules } from './wire-rules.ts'

/** Opens one; `'refused'` where the handshake was refused with the code that the case expects. */
export async function openWebSocket(dial: Dial, isJson: boolean): Promise<Opened> {
  const { open, variables, httpUrl } = dial
  const path = open.path ? String(fill(open.path, variables)) : '/v1/ws'
  const subprotocol = isJson ? 'porthouse.v1.json' : 'porthouse.v1'
  const offered = open.subprotocols.length > 0 ? open.subprotocols : [subprotocol]
  const socket = new WebSocket(`${httpUrl.replace('http', 'ws')}${path}`, offered, {
    perMessageDeflate: false,
    autoPong: false,
    headers: fill(open.headers, variables) as Record<string, string>,
  })
  const connection = new WebSocketConnection(socket, isJson, dial)
  const refused = await connection.opened
  if (!refused) {
    if (open.refused) throw new Unmet(`the handshake was not refused with ${open.refused}`)
    if (socket.protocol !== subprotocol) throw new Unmet(`the subprotocol is ${socket.protocol}`)
    return connection
  }
  if (!open.refused) throw new Unmet(`the handshake was refused: ${refused.statusCode}`)
  await checkRefusal(refused, open.refused)
  return 'refused'
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
  readonly #rules = new WireRules()
  readonly #fences = new Fences()
  #wire: Socket | undefined
  #packets = 0
  #isSilent = false
  #drop: string | undefined

  constructor(socket: WebSocket, isJson: boolean, { trace }: Dial) {
    this.#socket = socket
    this.#isJson = isJson
    this.#trace = trace
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
    const { frame } = content.value
    const message = fromJson(FrameSchema, fill(templateOf(frame!), variables))
    this.#socket.send(field(PacketSchema.field.frames, extended(message, content.value)))
  }

  fence(withinMs: number): Promise<boolean> {
    if (this.inbox.ending) return Promise.resolve(true)
    this.#socket.send(this.#isJson ? '' : new Uint8Array(0))
    return this.#fences.sent(withinMs)
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
      this.#fences.back()
      return
    }
    const frames = this.#read(data)
    const packet = this.#packets++
    const texts = frames.map((frame) => toJson(FrameSchema, frame) as JsonObject)
    this.#trace(`← ${JSON.stringify(texts)}`)
    for (const [i, frame] of frames.entries()) {
      const { id, body } = frame
      this.#rules.came(frame)
      if (body.case === 'drop' && id === 0) {
        this.#drop = String((texts[i]!.drop as JsonObject).code ?? '')
        continue
      }
      const envelope = body.case === 'envelope' ? toBinary(EnvelopeSchema, body.value) : undefined
      this.inbox.push({ frame: texts[i]!, packet, envelope })
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
    this.#fences.end()
    const code = this.#drop?.replace(/^CODE_/, '')
    if (code !== undefined) this.#rules.closed(code, closeCode)
    this.inbox.end({ code, closeCode })
  }
}

/** The frame's bytes with fields at its end that its schema does not have. */
function extended(frame: Frame, { frameTailHex, envelopeTailHex }: Extended): Uint8Array {
  const tail = Buffer.from(frameTailHex, 'hex')
  if (envelopeTailHex === '' || frame.body.case !== 'envelope') {
    return Buffer.concat([toBinary(FrameSchema, frame), tail])
  }
  const head = toBinary(FrameSchema, create(FrameSchema, { id: frame.id }))
  const body = toBinary(EnvelopeSchema, frame.body.value)
  const envelope = Buffer.concat([body, Buffer.from(envelopeTailHex, 'hex')])
  return Buffer.concat([head, field(FrameSchema.field.envelope, envelope), tail])
}

function field({ number }: DescField, bytes: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(bytes).finish()
}
