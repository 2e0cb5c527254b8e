/**
 * Writes the queues of sessions that are away: what came within some milliseconds, for however many
 * of them, is one statement, and one is under way at a time. What a crash takes is at most what was
 * sent in these milliseconds to rooms that store nothing themselves.
 */
import type { Log } from '../../../observe/log.ts'
import type { MqttQueue, MqttQueueBounds, NewQueued } from '../../../store/mqtt-sessions.ts'
import { StoreError } from '../../../store/store.ts'

/** How long the first of a statement waits for others, in milliseconds. */
const GATHER_MS = 5
const RETRY_MS_MIN = 50
const RETRY_MS_MAX = 1_000
/** One statement, whichever bound is met first; one message always is taken. */
const BATCH = { messages: 1_000, bytes: 4_194_304 }
/** What one takes in memory beside topic and body, in bytes, about. */
const MESSAGE_BYTES = 200

export interface QueueWriterParts {
  readonly queue: Pick<MqttQueue, 'add'>
  /** Of one session's queue. */
  readonly bounds: MqttQueueBounds
  /** What may wait for the store, of all sessions, in bytes. */
  readonly bytesMax: number
  readonly log: Log
  /** Messages of a session's queue have given way to newer ones. */
  readonly dropped: (key: string, count: number) => void
}

export class QueueWriter {
  readonly #parts: QueueWriterParts
  #waiting: NewQueued[] = []
  #bytes = 0
  /** Written, or given up, so far, and added so far. */
  #done = 0
  #added = 0
  #flushing: { readonly upTo: number; readonly resolve: () => void }[] = []
  #timer: NodeJS.Timeout | undefined
  #writing = false
  #failures = 0

  constructor(parts: QueueWriterParts) {
    this.#parts = parts
  }

  /** As much waits as may; what is added all the same is taken. */
  get full(): boolean {
    return this.#bytes >= this.#parts.bytesMax
  }

  /** Keeps their order, in each queue. */
  add(messages: readonly NewQueued[]): void {
    for (const message of messages) {
      this.#waiting.push(message)
      this.#bytes += sizeOf(message)
    }
    this.#added += messages.length
    if (messages.length > 0) this.#schedule(GATHER_MS)
  }

  /** Resolves when all that was added until now is written, or never can be. */
  flush(): Promise<void> {
    const upTo = this.#added
    if (this.#done >= upTo) return Promise.resolve()
    return new Promise((resolve) => {
      this.#flushing.push({ upTo, resolve })
      if (this.#failures === 0) this.#write()
    })
  }

  #schedule(ms: number): void {
    if (this.#writing) return
    this.#timer ??= setTimeout(() => this.#write(), ms).unref()
  }

  #write(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#writing || this.#waiting.length === 0) return
    this.#writing = true
    const batch = this.#next()
    this.#parts.queue.add(batch, this.#parts.bounds).then(
      (dropped) => {
        for (const [key, count] of dropped) this.#parts.dropped(key, count)
        this.#written(batch)
      },
      (error) => this.#failed(batch, error),
    )
  }

  #next(): NewQueued[] {
    let bytes = 0
    const end = this.#waiting.findIndex((message, i) => {
      bytes += sizeOf(message)
      return i > 0 && (i >= BATCH.messages || bytes > BATCH.bytes)
    })
    return this.#waiting.slice(0, end < 0 ? this.#waiting.length : end)
  }

  #written(batch: readonly NewQueued[]): void {
    this.#writing = false
    this.#failures = 0
    this.#waiting = this.#waiting.slice(batch.length)
    for (const message of batch) this.#bytes -= sizeOf(message)
    this.#done += batch.length
    const done = this.#flushing.filter(({ upTo }) => upTo <= this.#done)
    this.#flushing = this.#flushing.filter(({ upTo }) => upTo > this.#done)
    for (const { resolve } of done) resolve()
    if (this.#waiting.length > 0) this.#schedule(this.#flushing.length > 0 ? 0 : GATHER_MS)
  }

  /** What may be stored a moment later stays; it may then be there twice, and never not at all. */
  #failed(batch: readonly NewQueued[], error: unknown): void {
    const { log } = this.#parts
    const passes = error instanceof StoreError && ['unavailable', 'full'].includes(error.failure)
    if (!passes) {
      log.error({ err: error, messages: batch.length }, 'messages for MQTT sessions are lost')
      return this.#written(batch)
    }
    if (this.#failures === 0) log.warn({ err: error }, 'MQTT sessions wait for the store')
    this.#writing = false
    const pause = Math.min(RETRY_MS_MIN * 2 ** this.#failures, RETRY_MS_MAX)
    this.#failures++
    this.#schedule(pause)
  }
}

function sizeOf({ topic, body }: NewQueued): number {
  return MESSAGE_BYTES + topic.length + body.length
}
