/** What the services of the admin API work with. */
import type { Config } from '../config/config.ts'
import type { LogLevels } from '../observe/levels.ts'
import type { Log } from '../observe/log.ts'
import type { FlowReader } from '../rooms/config.ts'
import type { Core } from '../session/core.ts'
import type { Posters } from '../session/posts/posters.ts'
import type { Sessions } from '../session/sessions.ts'
import type { Store } from '../store/store.ts'
import type { Pages } from './pages.ts'
import type { Gateway } from './running.ts'

export interface AdminParts {
  readonly store: Store
  readonly config: Config
  readonly log: Log
  /** Of the whole log. */
  readonly levels: LogLevels
  /** Milliseconds since 1970-01-01 UTC. */
  readonly clock: () => number
  /** Milliseconds that only rise. */
  readonly uptime: () => number
  /** So many bytes that nobody can guess. */
  readonly random: (bytes: number) => Uint8Array
  /** A new UUIDv7. */
  readonly newId: () => string
  readonly pages: Pages
  /** Acceptors as they are here, by which rooms' flows are read. */
  readonly flows: FlowReader
  /** A core of its own where nobody is, for dry runs. */
  readonly emptyCore: () => Core
  /** What is live; absent where the API runs over a store that no gateway is open on. */
  readonly live?: LiveParts
}

export interface LiveParts {
  readonly core: Core
  readonly sessions: Sessions
  readonly posters: Posters
  /** When it began, by AdminParts.uptime. */
  readonly startedAt: number
  /** Undefined while it only begins. */
  readonly gateway: () => Gateway | undefined
}
