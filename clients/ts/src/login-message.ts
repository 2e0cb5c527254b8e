/** What a client signs to log in, as the gateway has it; golden vectors: conformance/login. */
export interface LoginMessage {
  readonly gateway: string
  /** `socket:{socket}`. */
  readonly socket: string
  readonly nonce: Uint8Array
  /** `client:{account}/{client}`, or a connection key's UUID. */
  readonly client: string
  /** Challenge.place; empty in the main lobby. */
  readonly place: string
}

const CONTEXT = 'porthouse login v1'

const encoder = new TextEncoder()

/** Six strings of SSH: the context, then the parts in their order above. */
export function loginMessage({ gateway, socket, nonce, client, place }: LoginMessage) {
  return sshStrings(CONTEXT, gateway, socket, nonce, client, place)
}

/** Each as its length in bytes (uint32, big-endian) and its bytes, text as UTF-8 (RFC 4251). */
export function sshStrings(...parts: readonly (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const contents = parts.map((part) => (typeof part === 'string' ? encoder.encode(part) : part))
  const joined = new Uint8Array(contents.reduce((sum, { length }) => sum + 4 + length, 0))
  const view = new DataView(joined.buffer)
  let offset = 0
  for (const content of contents) {
    view.setUint32(offset, content.length)
    joined.set(content, offset + 4)
    offset += 4 + content.length
  }
  return joined
}
