/**
 * Tokens and keys that were just read, for the next login by them: the many sockets of one token
 * come back at once (R33), and each would ask the store the same. What is kept never hides a change
 * (R51): the notice of one drops it, nothing is kept while no notices come, and a second is all it
 * lives.
 */
import type { Change, Changes } from '../store/store.ts'

/** What R51 leaves a change to be felt, in milliseconds: even one that nobody was told of. */
const LIFE_MS = 1_000

/** Finds records by their UUID, in lower case. */
export interface Finder<Found> {
  /** As it is stored. Rejects as the store does. */
  find(id: string): Promise<Found | undefined>
  /**
   * The same without asking, where it was read a moment ago. Only for who has the right secret:
   * anybody else must find, so that the time does not tell what is known (threat K14).
   */
  recent?(id: string): Found | undefined
}

export interface RecordCacheOptions {
  /** What is found. Any change of another kind may be one of what it names. */
  readonly kind: Change['kind']
  /** Records that are kept; beyond it the oldest are forgotten. */
  readonly max: number
  /** Milliseconds that only rise. */
  readonly uptime: () => number
}

interface Kept<Found> {
  readonly found: Found
  /** When it was asked for. */
  readonly at: number
}

export class RecordCache<Found> implements Finder<Found> {
  readonly #stored: Finder<Found>
  readonly #changes: Changes
  readonly #options: RecordCacheOptions
  /** In the order in which they were kept. */
  readonly #kept = new Map<string, Kept<Found>>()
  #unwatch: (() => Promise<void>) | undefined
  #ended = false
  /** Changes told so far. */
  #told = 0

  constructor(stored: Finder<Found>, changes: Changes, options: RecordCacheOptions) {
    this.#stored = stored
    this.#changes = changes
    this.#options = options
  }

  /**
   * Keeps what is found from the moment that changes are told. Resolves then, or when the store is
   * closed before.
   */
  async start(): Promise<void> {
    // It rejects where the store was closed; then nothing is found any more either.
    const watched = this.#changes.watch((change) => this.#note(change))
    const unwatch = await watched.catch(() => undefined)
    if (this.#ended) await unwatch?.()
    else this.#unwatch = unwatch
  }

  async stop(): Promise<void> {
    this.#ended = true
    this.#kept.clear()
    await this.#unwatch?.()
  }

  async find(id: string): Promise<Found | undefined> {
    const told = this.#hears ? this.#told : undefined
    const at = this.#options.uptime()
    const found = await this.#stored.find(id)
    // It may have been read before what was told meanwhile, or not told.
    const isLatest = told === this.#told && this.#hears
    if (found !== undefined && isLatest) this.#keep(id, { found, at })
    return found
  }

  recent(id: string): Found | undefined {
    const kept = this.#kept.get(id)
    if (!kept || !this.#hears) return undefined
    return this.#options.uptime() - kept.at < LIFE_MS ? kept.found : undefined
  }

  /** Whether a change would be told. */
  get #hears(): boolean {
    return this.#unwatch !== undefined && !this.#ended && this.#changes.watching
  }

  #keep(id: string, kept: Kept<Found>): void {
    this.#kept.delete(id)
    this.#kept.set(id, kept)
    if (this.#kept.size <= this.#options.max) return
    const [oldest = id] = this.#kept.keys()
    this.#kept.delete(oldest)
  }

  #note(change: Change | undefined): void {
    this.#told++
    if (change?.kind === this.#options.kind) this.#kept.delete(change.id)
    else this.#kept.clear()
  }
}
