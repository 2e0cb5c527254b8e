import { WebSocket } from 'ws'
import { isCodeName } from './code.ts'
import { PorthouseError } from './error.ts'
import { PACKET_BYTES_MAX } from './packet.ts'
import type { WebSocketConstructor } from './websocket.ts'

// A gateway's problem document is a few hundred bytes.
const PROBLEM_BYTES_MAX = 4096

/**
 * `ws` also where Node has a WebSocket of its own: it is the same on every Node, bounds a packet
 * before it is read, tells why an upgrade was refused and can end a dead connection at once.
 */
class NodeWebSocket extends WebSocket {
  #fault: PorthouseError | undefined

  constructor(url: string, protocols: string[]) {
    super(url, protocols, { maxPayload: PACKET_BYTES_MAX, perMessageDeflate: false })
    this.on('unexpected-response', async (_, response) => {
      this.#fault = await refusal(response)
      this.terminate()
    })
    this.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code?.startsWith('WS_ERR_')) this.#fault ??= violation(error)
    })
  }

  fault(): PorthouseError | undefined {
    return this.#fault
  }
}

interface Response {
  statusCode?: number | undefined
  setEncoding(encoding: 'utf8'): AsyncIterable<string>
}

/**
 * What the problem document (RFC 9457) says that a gateway answers with; else what its status says.
 */
async function refusal(response: Response): Promise<PorthouseError> {
  const { statusCode: status = 500 } = response
  const detail = `The upgrade was refused with status ${status}`
  try {
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk
      if (text.length > PROBLEM_BYTES_MAX) break
    }
    const problem = JSON.parse(text)
    if (isCodeName(problem.code)) return new PorthouseError(problem.code, { detail })
  } catch {
    // A proxy's page, or half of a document: the status is all there is.
  }
  // 408 and 429 pass, and so does what is not 4xx.
  const final = status >= 400 && status < 500 && status !== 408 && status !== 429
  return new PorthouseError(final ? 'HANDSHAKE_INVALID' : 'UNAVAILABLE', { detail })
}

function violation(cause: NodeJS.ErrnoException): PorthouseError {
  const facts = { detail: cause.message, cause }
  if (cause.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
    return new PorthouseError('PACKET_TOO_LARGE', facts)
  }
  return new PorthouseError('MALFORMED_PACKET', facts)
}

// `ws` types its events more narrowly than the standard's interface asks for.
export const PlatformWebSocket = NodeWebSocket as unknown as WebSocketConstructor
