/**
 * Writes the queues of sessions that are away: what came within a moment, for however many of them,
 * is one statement, and one is under way at a time, so that statements are as large as the store is
 * slow. Who was to hear of it hears it once it is there.
 */
import type { Log } from '../../../observe/log.ts'
import type { MqttQueue, MqttQueueBounds, NewQueued } from '../../../store/mqtt-sessions.ts'
import { StoreError } from '../../../store/store.ts'

/** How long the first of a statement waits for others, in milliseconds. */
const GATHER_MS = 1
const EXPIRE_MS = 100
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
  /** How long somebody waits for the store, in milliseconds. */
  readonly waitMs: number
  /** Milliseconds that only rise. */
  readonly uptime: () => number
  readonly log: Log
  /** Messages of a session's queue have given way to newer ones. */
  readonly dropped: (key: string, count: number) => void
}

/** Who waits for what was added. */
export interface Awaiting {
  /** All of it is in the store, or some of it never will be: once. */
  ended(isStored: boolean): void
  /** It is not known yet, and it was waited for long enough; again and again. */
  late(): void
}

interface Waiter {
  readonly awaiting: Awaiting
  /** Beyond how many of all that were added it begins, and with which it ends. */
  readonly from: number
  readonly upTo: number
  readonly since: number
  told: number
  isStored: boolean
}

export class QueueWriter {
  readonly #parts: QueueWriterParts
  #waiting: NewQueued[] = []
  #bytes = 0
  /** Written, or given up, so far, and added so far. */
  #done = 0
  #added = 0
  /** In order. */
  #waiters: Waiter[] = []
  #expiring: NodeJS.Timeout | undefined
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

  /** What waits for the store. */
  get messages(): number {
    return this.#waiting.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** How many were added so far. */
  get added(): number {
    return this.#added
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

  /** Tells what becomes of all that was added after so many, until now. */
  expect(from: number, awaiting: Awaiting): void {
    const since = this.#parts.uptime()
    this.#waiters.push({ awaiting, from, upTo: this.#added, since, told: since, isStored: true })
    this.#expiring ??= setInterval(() => this.#expire(), EXPIRE_MS).unref()
  }

  /** Resolves when all that was added until now is written, or never can be. */
  flush(): Promise<void> {
    if (this.#done >= this.#added) return Promise.resolve()
    return new Promise((resolve) => {
      this.expect(this.#added, { ended: () => resolve(), late: () => {} })
      if (this.#failures === 0) this.#write()
    })
  }

  /** Nobody waits for long for a store that is away; what waits is written all the same. */
  #expire(): void {
    const now = this.#parts.uptime()
    for (const waiter of this.#waiters) {
      if (waiter.since > now - this.#parts.waitMs) break
      if (waiter.told > now - this.#parts.waitMs) continue
      waiter.told = now
      waiter.awaiting.late()
    }
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
        this.#written(batch, true)
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

  #written(batch: readonly NewQueued[], isStored: boolean): void {
    this.#writing = false
    this.#failures = 0
    this.#waiting = this.#waiting.slice(batch.length)
    for (const message of batch) this.#bytes -= sizeOf(message)
    this.#done += batch.length
    this.#tell(isStored)
    if (this.#waiting.length > 0) this.#schedule(GATHER_MS)
  }

  #tell(isStored: boolean): void {
    const end = this.#waiters.findIndex(({ upTo }) => upTo > this.#done)
    const done = this.#waiters.splice(0, end < 0 ? this.#waiters.length : end)
    if (!isStored) {
      const [next] = this.#waiters
      const began = [...done, ...(next && next.from < this.#done ? [next] : [])]
      for (const waiter of began) waiter.isStored = false
    }
    if (this.#waiters.length === 0) {
      clearInterval(this.#expiring)
      this.#expiring = undefined
    }
    for (const { awaiting, isStored: all } of done) awaiting.ended(all)
  }

  /** What may be stored a moment later stays; it may then be there twice, and never not at all. */
  #failed(batch: readonly NewQueued[], error: unknown): void {
    const { log } = this.#parts
    const passes = error instanceof StoreError && ['unavailable', 'full'].includes(error.failure)
    if (!passes) {
      log.error({ err: error, messages: batch.length }, 'messages for MQTT sessions are lost')
      return this.#written(batch, false)
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
