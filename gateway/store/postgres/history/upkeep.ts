/** What a gateway does to the tables of messages beside its work; several may do it at once. */
import { setTimeout } from 'node:timers/promises'
import type { Log } from '../../../observe/log.ts'
import type { Changes } from '../../store.ts'
import type { Database } from '../database.ts'
import { dropEmpty, makeAhead } from './partitions.ts'
import { Retention } from './retention.ts'
import { sweep } from './sweep.ts'

/** Between two rounds, if nothing asks for one. */
const ROUND_MS = 60_000
/** Between two rounds in any case. */
const PAUSE_MS = 1_000

export class Upkeep {
  readonly #database: Database
  readonly #changes: Changes
  readonly #log: Log
  readonly #retention = new Retention()
  readonly #closing = new AbortController()
  #wanted = Promise.withResolvers<void>()
  #running: Promise<void> | undefined

  constructor(parts: { database: Database; changes: Changes; log: Log }) {
    this.#database = parts.database
    this.#changes = parts.changes
    this.#log = parts.log
  }

  /** Resolves when the messages of today have their partition, or cannot have it now. */
  async start(): Promise<void> {
    await this.#try(makeAhead)
    this.#running = this.#run()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing
    const watch = this.#changes.watch((change) => {
      if (!change || change.kind === 'room') this.#wanted.resolve()
    })
    watch.catch(() => {})
    while (!signal.aborted) {
      this.#wanted = Promise.withResolvers()
      await this.#try(makeAhead)
      await this.#try((database) => sweep(database, signal))
      await this.#try(async (database, nowMs) => {
        if (await this.#retention.step(database, nowMs, signal)) this.#wanted.resolve()
      })
      await this.#try(dropEmpty)
      await this.#pause(PAUSE_MS)
      await Promise.race([this.#wanted.promise, this.#pause(ROUND_MS)])
    }
    const unwatch = await watch.catch(() => undefined)
    await unwatch?.()
  }

  #pause(ms: number): Promise<void> {
    return setTimeout(ms, undefined, { ref: false, signal: this.#closing.signal }).catch(() => {})
  }

  /** What fails now is tried in the next round. */
  async #try(work: (database: Database, nowMs: number) => Promise<void>): Promise<void> {
    try {
      await work(this.#database, Date.now())
    } catch (err) {
      if (!this.#closing.signal.aborted) this.#log.warn({ err }, 'upkeep of messages')
    }
  }
}
