/**
 * What a client signs to log in (issue 4, threats K11 and K12). Any of its parts being another one,
 * it is another message: so a signature serves one answer, on one socket, at one gateway, for one
 * place. Golden vectors are in conformance/login.
 */
import { sshString } from './ssh-wire.ts'

/** Tells it from all else that the same key may sign; SSH itself signs nothing that starts so. */
const CONTEXT = 'porthouse login v1'

export interface LoginMessage {
  /** In its origin form, see protocol/gateway-url.ts. */
  readonly gateway: string
  /** `socket:{socket}`. */
  readonly socket: string
  readonly nonce: Uint8Array
  /** Who logs in: `client:{account}/{client}` as the answer says it, or a connection key's UUID. */
  readonly client: string
  /** Challenge.place; empty in the main lobby. */
  readonly place: string
}

/**
 * Six strings, one after the other, each as its length in bytes (uint32, big-endian) and its bytes
 * (text as UTF-8): `porthouse login v1`, gateway, socket, nonce, client, place.
 */
export function loginMessage({ gateway, socket, nonce, client, place }: LoginMessage): Buffer {
  return Buffer.concat([CONTEXT, gateway, socket, nonce, client, place].map(sshString))
}
