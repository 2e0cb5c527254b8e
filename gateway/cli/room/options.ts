/** What the options of `porthouse room create` may be; apart, so that help loads no schema. */

/** What becomes of messages for a reader that is too slow (R46). */
export const SLOW_POLICIES = ['drop-oldest', 'drop-newest', 'conflate', 'disconnect'] as const

export type SlowPolicy = (typeof SLOW_POLICIES)[number]

/** What a room keeps of its messages (R43). */
export const HISTORIES = ['none', 'window', 'durable'] as const

export type HistoryKind = (typeof HISTORIES)[number]

/** Of which messages the last of each channel is kept. */
export const RETAINED = ['asked', 'all'] as const

export type RetainedKind = (typeof RETAINED)[number]
