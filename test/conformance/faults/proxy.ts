/** A gateway that is broken on purpose: a right one, and between it and its clients a fault. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { type Frame, PacketSchema } from '@porthouse/proto/v1/frame'
import { WebSocket, WebSocketServer } from 'ws'

/** What is wrong. What it does not say is as it should be. */
export interface Fault {
  readonly name: string
  /** The case that must find it. */
  readonly foundBy: string
  /** Packets that reach the client in place of what the gateway sends in one. */
  readonly toClient?: (frames: Frame[]) => Frame[][]
  /** Frames that reach the gateway in place of those of the client, and what goes back at once. */
  readonly toGateway?: (frames: Frame[]) => { on: Frame[]; back?: Frame[] }
  readonly heartbeat?: 'unanswered'
  readonly close?: (code: number) => number
  /** Of those that are offered. */
  readonly subprotocol?: (offered: ReadonlySet<string>) => string
  /** What reaches the client is encoded anew, without what this side does not know. */
  readonly forgetsUnknown?: boolean
}

/** Listens on a free port; `url` is http://. */
export class BrokenGateway {
  readonly url: string
  readonly #stop: () => Promise<void>

  static async start(httpUrl: string, fault: Fault): Promise<BrokenGateway> {
    const http = createServer()
    const server = new WebSocketServer({ noServer: true, handleProtocols: (all) => pick(all) })
    const pick = fault.subprotocol ?? preferred
    http.on('upgrade', (request, socket, head) => {
      const upstream = dial(httpUrl, request)
      upstream.once('unexpected-response', (_, response) => refuse(response, socket))
      upstream.once('open', () => {
        server.handleUpgrade(request, socket, head, (downstream) =>
          join(downstream, upstream, fault),
        )
      })
      upstream.on('error', () => socket.destroy())
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const { port } = http.address() as AddressInfo
    return new BrokenGateway(`http://127.0.0.1:${port}`, async () => {
      for (const one of server.clients) one.terminate()
      http.close()
      await once(http, 'close')
    })
  }

  private constructor(url: string, stop: () => Promise<void>) {
    this.url = url
    this.#stop = stop
  }

  stop(): Promise<void> {
    return this.#stop()
  }
}

function preferred(offered: ReadonlySet<string>): string | false {
  const [first] = offered
  return offered.has('porthouse.v1') ? 'porthouse.v1' : (first ?? false)
}

function dial(httpUrl: string, { url = '/', headers }: IncomingMessage): WebSocket {
  const offered = headers['sec-websocket-protocol']?.split(/,\s*/) ?? []
  return new WebSocket(`${httpUrl.replace('http', 'ws')}${url}`, offered, {
    perMessageDeflate: false,
    headers: headers.origin ? { origin: headers.origin } : {},
  })
}

async function refuse(response: IncomingMessage, socket: NodeJS.WritableStream): Promise<void> {
  let body = ''
  for await (const chunk of response) body += chunk
  const head = [
    `HTTP/1.1 ${response.statusCode} Refused`,
    `content-type: ${response.headers['content-type']}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function join(client: WebSocket, gateway: WebSocket, fault: Fault): void {
  const isBinary = gateway.protocol === 'porthouse.v1'
  gateway.on('message', (data: Buffer, binary) => {
    if (data.length === 0 && fault.heartbeat === 'unanswered') return
    if (!isBinary || data.length === 0) return client.send(data, { binary })
    for (const packet of brokenToClient(data, fault)) client.send(packet)
  })
  client.on('message', (data: Buffer, binary) => {
    const change = binary && isBinary && data.length > 0 && fault.toGateway
    if (!change) return gateway.send(data, { binary })
    const { on, back = [] } = change(fromBinary(PacketSchema, new Uint8Array(data)).frames)
    if (back.length > 0) client.send(packetOf(back))
    gateway.send(packetOf(on))
  })
  gateway.on('close', (code) => end(client, fault.close?.(code) ?? code))
  client.on('close', (code) => end(gateway, code))
  client.on('error', () => gateway.terminate())
}

function brokenToClient(data: Buffer, fault: Fault): Uint8Array[] {
  if (!fault.toClient && !fault.forgetsUnknown) return [data]
  const { frames } = fromBinary(PacketSchema, new Uint8Array(data), {
    readUnknownFields: !fault.forgetsUnknown,
  })
  return (fault.toClient?.(frames) ?? [frames]).filter((packet) => packet.length > 0).map(packetOf)
}

function packetOf(frames: Frame[]): Uint8Array {
  return toBinary(PacketSchema, { $typeName: 'porthouse.v1.Packet', frames })
}

function end(socket: WebSocket, code: number): void {
  if (code === 1006 || code === 1005) socket.terminate()
  else socket.close(code)
}
