/**
 * The bounds of the protocol. These are constants of version 1; those that an operator may set
 * stand in the config beside their defaults. All of them are told in Welcome.
 */

/** An address, or any other name that has no bound of its own. */
export const NAME_BYTES_MAX = 512

/** A channel's name, all its levels and the `/` between them. */
export const CHANNEL_BYTES_MAX = 255

/** A channel's levels. */
export const CHANNEL_LEVELS_MAX = 16

/** Envelope.content_type. */
export const CONTENT_TYPE_BYTES_MAX = 128

/** Envelope.correlation_id. */
export const CORRELATION_BYTES_MAX = 128

/** Routing.idempotency_key. */
export const KEY_BYTES_MAX = 128

/** What an Answer holds in response; a bearer token is the longest. */
export const ANSWER_BYTES_MAX = 16_384

/** Hello.agent. */
export const AGENT_BYTES_MAX = 128

/** Hello.capabilities: how many, and how long each may be. */
export const CAPABILITIES_MAX = 32
export const CAPABILITY_BYTES_MAX = 64

/** Locks on one socket's stack. */
export const LOCK_DEPTH_MAX = 16

/** Answers given ahead that a socket may have waiting, one an acceptor. */
export const ANSWERS_AHEAD_MAX = 8

/** Drop.detail, Receipt.detail and Rejection.detail. */
export const DETAIL_BYTES_MAX = 256

/** The bounds that an operator may set; sizes in bytes. See the config for defaults. */
export interface Limits {
  readonly packetBytes: number
  readonly packetFrames: number
  readonly frameBytes: number
  readonly payloadBytes: number
  readonly headersBytes: number
  readonly headers: number
  readonly destinations: number
  readonly rooms: number
  readonly subscriptions: number
}

const ANY = Number.POSITIVE_INFINITY

/** For what was taken before, and was within the bounds that held then. */
export const UNBOUNDED: Limits = {
  packetBytes: ANY,
  packetFrames: ANY,
  frameBytes: ANY,
  payloadBytes: ANY,
  headersBytes: ANY,
  headers: ANY,
  destinations: ANY,
  rooms: ANY,
  subscriptions: ANY,
}
