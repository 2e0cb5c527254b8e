/**
 * User properties whose names start with `porthouse-` are the gateway's words, in whatever case: a
 * sender who could set them all could pass for somebody else.
 */
export const RESERVED_PREFIX = 'porthouse-'

/** In CONNECT, with the value `1`: tell the stamp with each message. */
export const STAMP = 'porthouse-stamp'

/** In CONNACK: the socket's address. */
export const SOCKET = 'porthouse-socket'

/** In PUBLISH and wills: Routing.idempotency_key. */
export const KEY = 'porthouse-key'
/** In PUBLISH and wills: Routing.acting. */
export const ACTING = 'porthouse-acting'
/** Both ways: an Envelope.reply_to that is no topic. */
export const REPLY_TO = 'porthouse-reply-to'

export function isReserved(name: string): boolean {
  return name.slice(0, RESERVED_PREFIX.length).toLowerCase() === RESERVED_PREFIX
}
