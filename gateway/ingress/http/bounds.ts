/** What a request may take before it is one, whichever version of HTTP it comes in. */

/** All headers of a request, in bytes; over it: 431. */
export const HEADER_BYTES_MAX = 16_384

/** A request's headers, and the whole of it, have to be there within this time, in milliseconds. */
export const HEADERS_TIMEOUT_MS = 10_000
export const REQUEST_TIMEOUT_MS = 30_000

/**
 * How long the rest of a request is let pass once it is answered, in milliseconds: who is cut off
 * at once may lose the answer with it (RFC 9112 section 9.6; threat C2).
 */
export const LINGER_MS = 500

/** How often these timeouts are looked at. */
export const TIMEOUT_SWEEP_MS = 1_000
