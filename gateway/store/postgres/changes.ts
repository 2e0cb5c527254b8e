/** What any process changes, as PostgreSQL's triggers tell it by NOTIFY (R51). */
import { setTimeout } from 'node:timers/promises'
import { isUuid } from '../../protocol/name.ts'
import type { Change, Changes } from '../store.ts'
import { bounded, connect, type Server } from './database.ts'
import { unavailable } from './failure.ts'

type Listener = Parameters<Changes['watch']>[0]

/** As in the triggers of the migrations, and their kinds. */
const CHANNEL = 'porthouse_changes'
const KINDS: ReadonlySet<string> = new Set<Change['kind']>([
  'account',
  'room',
  'client',
  'credential',
  'token',
  'api-key',
])

const PAUSE_MS_MIN = 100
const PAUSE_MS_MAX = 1_000
/** Between two questions whether the other side is still there, which may vanish without a word. */
const CHECK_MS = 3_000
const STATEMENT_MS_MAX = 4_000

/**
 * All that watch share one connection. It is made with the first of them, again and again where it
 * is lost, and lives until the store is closed.
 */
export class PostgresChanges implements Changes {
  readonly #server: Server
  readonly #listeners = new Set<Listener>()
  readonly #closing = new AbortController()
  watching = false
  #following: Promise<void> | undefined
  #heard = Promise.withResolvers<void>()
  #end = async (): Promise<void> => {}

  constructor(server: Server) {
    this.#server = server
    this.#heard.promise.catch(() => {})
  }

  async watch(listener: Listener): Promise<() => Promise<void>> {
    if (this.#closing.signal.aborted) throw closed()
    this.#following ??= this.#follow()
    await this.#heard.promise
    // Of its own, so that one that watches twice ends once.
    const own: Listener = (change) => listener(change)
    this.#listeners.add(own)
    return async () => void this.#listeners.delete(own)
  }

  /** Those who still wait for their watch are rejected with `unavailable`. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#listeners.clear()
    this.#heard.reject(closed())
    await this.#end()
    await this.#following
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing
    let pause = PAUSE_MS_MIN
    for (let isFirst = true; !signal.aborted; ) {
      if (await this.#listen(isFirst)) {
        isFirst = false
        pause = PAUSE_MS_MIN
        this.#heard = Promise.withResolvers()
        this.#heard.promise.catch(() => {})
      }
      await setTimeout(pause, undefined, { ref: false, signal }).catch(() => {})
      pause = Math.min(pause * 2, PAUSE_MS_MAX)
    }
  }

  /** Listens until the connection is lost. Whether it ever did. */
  async #listen(isFirst: boolean): Promise<boolean> {
    const lost = new AbortController()
    const signal = AbortSignal.any([lost.signal, this.#closing.signal])
    let listens = false
    const sql = connect(this.#server, 1, STATEMENT_MS_MAX, {
      max_lifetime: null,
      onclose: () => lost.abort(),
      onnotify: (_channel, payload) => this.#read(payload),
      name: 'porthouse changes',
    })
    this.#end = () => sql.end({ timeout: 0 })
    try {
      await bounded(sql`listen ${sql(CHANNEL)}`)
      listens = true
      this.watching = true
      this.#heard.resolve()
      if (!isFirst) this.#tell(undefined)
      for (;;) {
        await setTimeout(CHECK_MS, undefined, { ref: false, signal })
        await bounded(sql`select 1`)
      }
    } catch {
      // Away, silent or closed: whoever asks the store for anything else learns why.
      return listens
    } finally {
      this.watching = false
      await this.#end()
    }
  }

  #read(payload: string): void {
    const [kind = '', id = ''] = payload.split(':')
    // Of a later version: what this one does not know of, it has not kept either.
    if (KINDS.has(kind) && isUuid(id)) this.#tell({ kind: kind as Change['kind'], id })
  }

  #tell(change: Change | undefined): void {
    for (const listener of this.#listeners) listener(change)
  }
}

function closed(): Error {
  return unavailable('it is closed')
}
