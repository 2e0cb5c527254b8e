/** What the options of `porthouse room create` may be; apart, so that help loads no schema. */

/** What becomes of messages for a reader that is too slow (R46). */
export const SLOW_POLICIES = ['drop-oldest', 'drop-newest', 'conflate', 'disconnect'] as const

export type SlowPolicy = (typeof SLOW_POLICIES)[number]
