/** A client that knows a released schema alone: what came later it takes as unknown. */
import { once } from 'node:events'
import {
  createFileRegistry,
  type DescMessage,
  fromBinary,
  fromJson,
  fromJsonString,
  type JsonObject,
  type JsonValue,
  toBinary,
  toJson,
  toJsonString,
} from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { WebSocket } from 'ws'

export type Subprotocol = 'porthouse.v1' | 'porthouse.v1.json'

/** The Packet of a schema image, with all that is in it. */
export function packetOf(schema: Uint8Array): DescMessage {
  const image = createFileRegistry(fromBinary(FileDescriptorSetSchema, schema))
  const packet = image.getMessage('porthouse.v1.Packet')
  if (!packet) throw new Error('the image has no Packet')
  return packet
}

export class OldClient {
  readonly #packet: DescMessage
  readonly #socket: WebSocket
  /** What came and was not asked for yet; an empty packet is a heartbeat. */
  readonly #came: JsonObject[] = []
  #arrived = Promise.withResolvers<void>()

  static async open(url: string, packet: DescMessage, subprotocol: Subprotocol) {
    const socket = new WebSocket(url, subprotocol)
    const client = new OldClient(socket, packet)
    await once(socket, 'open')
    return client
  }

  private constructor(socket: WebSocket, packet: DescMessage) {
    this.#socket = socket
    this.#packet = packet
    socket.on('message', (data: Buffer, isBinary) => {
      const { frames } = this.#read(data, isBinary) as { frames?: JsonObject[] }
      this.#came.push(...(frames ?? [{ heartbeat: {} }]))
      this.#arrived.resolve()
      this.#arrived = Promise.withResolvers()
    })
  }

  /** Sends one packet, its frames as Protobuf JSON; of none, a heartbeat. */
  send(...frames: JsonObject[]): void {
    const packet = fromJson(this.#packet, { frames })
    const isJson = this.#socket.protocol === 'porthouse.v1.json'
    this.#socket.send(isJson ? toJsonString(this.#packet, packet) : toBinary(this.#packet, packet))
  }

  /** The first frame with that body, and that action in it, that was not asked for yet. */
  async hears(body: string, action?: string): Promise<JsonObject> {
    for (;;) {
      const at = this.#came.findIndex((frame) => {
        const value = frame[body] as JsonObject | undefined
        return value && (action === undefined || action in value)
      })
      const [frame] = at < 0 ? [] : this.#came.splice(at, 1)
      if (frame) return frame
      await this.#arrived.promise
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }

  #read(data: Buffer, isBinary: boolean): JsonValue {
    if (isBinary) return toJson(this.#packet, fromBinary(this.#packet, data))
    if (data.length === 0) return {}
    const ignoreUnknownFields = true
    const packet = fromJsonString(this.#packet, data.toString(), { ignoreUnknownFields })
    return toJson(this.#packet, packet)
  }
}
