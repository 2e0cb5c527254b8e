import { WebSocket } from 'ws'
import { PACKET_BYTES_MAX } from './packet.ts'
import type { WebSocketConstructor, WebSocketLike } from './websocket.ts'

/**
 * `ws` also where Node has a WebSocket of its own: it is the same on every Node, bounds a packet before
 * it is read, tells the status of a refused upgrade and can end a dead connection at once.
 */
class NodeWebSocket extends WebSocket {
  #refusal: number | undefined

  constructor(url: string, protocols: string[]) {
    super(url, protocols, { maxPayload: PACKET_BYTES_MAX, perMessageDeflate: false })
    this.on('unexpected-response', (request, response) => {
      this.#refusal = response.statusCode
      request.destroy(new Error(`The upgrade was refused with status ${response.statusCode}`))
    })
  }

  refusal(): number | undefined {
    return this.#refusal
  }
}

// `ws` types its events more narrowly than the standard's interface asks for.
export const PlatformWebSocket = NodeWebSocket as unknown as new (
  ...arguments_: ConstructorParameters<WebSocketConstructor>
) => WebSocketLike
