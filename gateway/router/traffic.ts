/**
 * How much is sent to a room and to its channels (R23). A message costs a few additions; rates are
 * worked out when somebody asks.
 */

/** What a rate is taken over, in milliseconds. */
const WINDOW_MS = 10_000

/**
 * Channels of a room that are counted: at least half as many, those that were sent to last. The
 * counts of one that was forgotten begin anew.
 */
const CHANNELS_MAX = 10_000

/** A second, over the last ten. */
export interface Rates {
  readonly messages: number
  readonly bytes: number
}

/** What was sent to one place since its beginning; `bytes` of content. */
export class Traffic {
  messages = 0
  bytes = 0
  /** The window under way, and the counts with which it and the one before it began. */
  #beganMs = 0
  #messagesAt = 0
  #bytesAt = 0
  #messagesBefore = 0
  #bytesBefore = 0

  count(bytes: number, nowMs: number): void {
    if (nowMs - this.#beganMs >= WINDOW_MS) this.#begin(nowMs)
    this.messages++
    this.bytes += bytes
  }

  /** The window under way, and of the one before it as much as is not yet ten seconds ago. */
  rates(nowMs: number): Rates {
    if (nowMs - this.#beganMs >= WINDOW_MS) this.#begin(nowMs)
    const before = 1 - Math.max(0, nowMs - this.#beganMs) / WINDOW_MS
    const over = (now: number, at: number, earlier: number) =>
      (now - at + before * (at - earlier)) / (WINDOW_MS / 1000)
    return {
      messages: over(this.messages, this.#messagesAt, this.#messagesBefore),
      bytes: over(this.bytes, this.#bytesAt, this.#bytesBefore),
    }
  }

  #begin(nowMs: number): void {
    const next = nowMs - this.#beganMs < 2 * WINDOW_MS
    this.#messagesBefore = next ? this.#messagesAt : this.messages
    this.#bytesBefore = next ? this.#bytesAt : this.bytes
    this.#messagesAt = this.messages
    this.#bytesAt = this.bytes
    this.#beganMs = next ? this.#beganMs + WINDOW_MS : nowMs
  }
}

export class RoomTraffic {
  /** Of the room and all its channels. */
  readonly room = new Traffic()
  /** Two generations: what was sent to lately is in the first, and the second is given up whole. */
  #recent = new Map<string, Traffic>()
  #earlier = new Map<string, Traffic>()

  /** `` for the room itself. */
  count(channel: string, bytes: number, nowMs: number): void {
    this.room.count(bytes, nowMs)
    if (channel !== '') (this.#recent.get(channel) ?? this.#revive(channel)).count(bytes, nowMs)
  }

  /** Undefined where nothing was sent to it lately. */
  of(channel: string): Traffic | undefined {
    return this.#recent.get(channel) ?? this.#earlier.get(channel)
  }

  /** Those that were sent to lately; some of them twice. */
  *channels(): Iterable<string> {
    yield* this.#recent.keys()
    yield* this.#earlier.keys()
  }

  #revive(channel: string): Traffic {
    if (this.#recent.size >= CHANNELS_MAX / 2) {
      this.#earlier = this.#recent
      this.#recent = new Map()
    }
    const traffic = this.#earlier.get(channel) ?? new Traffic()
    this.#recent.set(channel, traffic)
    return traffic
  }
}
