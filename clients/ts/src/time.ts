// The last moment that a Date can hold, in milliseconds since 1970.
const LAST_MS = 8.64e15

/** A moment that a gateway tells. */
export const readTime = (ms: bigint): Date => new Date(Math.min(Number(ms), LAST_MS))
