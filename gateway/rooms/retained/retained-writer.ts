/**
 * Writes last values behind: of many for one channel the last counts, and many channels are one
 * statement. What a crash takes is at most what was sent in the last moment (block retained).
 */
import type { Log } from '../../observe/log.ts'
import type { RetainedValue, RetainedValues, StoredMessage } from '../../store/history.ts'

/** Between two statements, in milliseconds. */
const PAUSE_MS = 200
const RETRY_MS = 1_000
/** Values in one statement. */
const BATCH_MAX = 1_000

/** What one value takes in memory beside its body and its channel, in bytes, about. */
const VALUE_BYTES = 300

export class RetainedWriter {
  readonly #store: RetainedValues
  readonly #log: Log
  /** By room and channel, the longest waiting first. */
  readonly #dirty = new Map<string, RetainedValue>()
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined
  readonly #bytesMax: number
  #bytes = 0

  /** `bytesMax`: what may wait for the store, of all rooms. */
  constructor(store: RetainedValues, log: Log, bytesMax: number) {
    this.#store = store
    this.#log = log
    this.#bytesMax = bytesMax
  }

  /** What waits for the store. */
  get bytes(): number {
    return this.#bytes
  }

  /** As much waits for the store as may. */
  get full(): boolean {
    return this.#bytes >= this.#bytesMax
  }

  /** Without a message the channel has no value any more. */
  write(roomId: string, channel: string, message: StoredMessage | undefined): void {
    const key = `${roomId}/${channel}`
    const value = { roomId, channel, ...(message && { message }) }
    this.#forget(key)
    this.#dirty.set(key, value)
    this.#bytes += bytesOf(value)
    this.#schedule(PAUSE_MS)
  }

  /** What a room has that is not stored yet, by channel. */
  pendingOf(roomId: string): Map<string, StoredMessage | undefined> {
    const own = [...this.#dirty.values()].filter((value) => value.roomId === roomId)
    return new Map(own.map(({ channel, message }) => [channel, message]))
  }

  /** Resolves when all is stored, or cannot be. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#writing
    while (this.#dirty.size > 0 && (await this.#write()));
  }

  #schedule(ms: number): void {
    if (this.#timer || this.#writing) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#writing = this.#write().then((written) => {
        this.#writing = undefined
        if (this.#dirty.size === 0) return
        const isMuch = this.#dirty.size >= BATCH_MAX
        if (!written) this.#schedule(RETRY_MS)
        else this.#schedule(isMuch ? 0 : PAUSE_MS)
      })
    }, ms)
    this.#timer.unref()
  }

  /** Whether it could be written; what could not is written with the next. */
  async #write(): Promise<boolean> {
    const values = [...this.#dirty].slice(0, BATCH_MAX)
    try {
      await this.#store.save(values.map(([, value]) => value))
    } catch (error) {
      this.#log.warn({ err: error, values: values.length }, 'last values wait for the store')
      return false
    }
    for (const [key, value] of values) {
      if (this.#dirty.get(key) === value) this.#forget(key)
    }
    return true
  }

  #forget(key: string): void {
    const value = this.#dirty.get(key)
    if (!value) return
    this.#dirty.delete(key)
    this.#bytes -= bytesOf(value)
  }
}

function bytesOf({ channel, message }: RetainedValue): number {
  return VALUE_BYTES + channel.length + (message?.body.length ?? 0)
}
