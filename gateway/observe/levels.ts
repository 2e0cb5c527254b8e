/**
 * Levels of the log that change while the gateway runs: of all of it, or of one subsystem; for good
 * or for a while. Loggers that were given out before follow.
 */
import type { LevelWithSilent } from 'pino'
import type { Log } from './log.ts'

export const SUBSYSTEMS = [
  'session',
  'locks',
  'mqtt',
  'http',
  'admin',
  'store',
  'programs',
] as const

/** Whose a line is: its field `sub`. */
export type Subsystem = (typeof SUBSYSTEMS)[number]

/** Longest that a level may be set for; beyond it timers are no good. */
export const LEVEL_MS_MAX = 86_400_000

export interface LevelChange {
  /** Undefined, of a subsystem: that of the whole log again. Not for the whole log. */
  readonly level: LevelWithSilent | undefined
  /** Undefined: of all that have none of their own. */
  readonly subsystem?: Subsystem | undefined
  /** Milliseconds until it is again as it was; undefined: for good. */
  readonly forMs?: number | undefined
}

interface Level {
  readonly level: LevelWithSilent | undefined
  /** What it is again, and when. */
  readonly back?: {
    readonly timer: NodeJS.Timeout
    readonly to: LevelWithSilent | undefined
    /** Milliseconds since 1970-01-01 UTC. */
    readonly at: number
  }
}

const levels = new WeakMap<Log, LogLevels>()

export class LogLevels {
  readonly #root: Log
  readonly #children = new Map<Subsystem, Log>()
  /** Of subsystems that have one of their own; of the whole log under undefined. */
  readonly #levels = new Map<Subsystem | undefined, Level>()

  constructor(root: Log) {
    this.#root = root
    this.#levels.set(undefined, { level: root.level as LevelWithSilent })
  }

  /** The subsystem's own log, the same at each call. */
  of(subsystem: Subsystem): Log {
    const known = this.#children.get(subsystem)
    if (known) return known
    const child = this.#root.child({ sub: subsystem })
    this.#children.set(subsystem, child)
    levels.set(child, this)
    this.#apply()
    return child
  }

  /** That of the whole log, or of a subsystem: its own, or that of the whole log. */
  level(subsystem?: Subsystem): LevelWithSilent {
    const own = this.#levels.get(subsystem)?.level ?? this.#levels.get(undefined)?.level
    return own ?? 'info'
  }

  /** Whether the subsystem has a level of its own. */
  hasOwn(subsystem: Subsystem): boolean {
    return this.#levels.get(subsystem)?.level !== undefined
  }

  /** When that falls back, in milliseconds since 1970-01-01 UTC; undefined: it does not. */
  until(subsystem?: Subsystem): number | undefined {
    return this.#levels.get(subsystem)?.back?.at
  }

  /** Throws a RangeError for a time over LEVEL_MS_MAX, or below 1. */
  set({ level, subsystem, forMs }: LevelChange): void {
    if (forMs !== undefined && !(forMs >= 1 && forMs <= LEVEL_MS_MAX)) {
      throw new RangeError(`a level is set for 1 to ${LEVEL_MS_MAX} ms`)
    }
    const before = this.#levels.get(subsystem)
    clearTimeout(before?.back?.timer)
    // Of two that end by themselves, the second does not bring the first one back.
    const to = before?.back ? before.back.to : before?.level
    if (forMs === undefined) this.#put(subsystem, { level })
    else {
      const timer = setTimeout(() => this.#put(subsystem, { level: to }), forMs).unref()
      this.#put(subsystem, { level, back: { timer, to, at: Date.now() + forMs } })
    }
  }

  #put(subsystem: Subsystem | undefined, level: Level): void {
    this.#levels.set(subsystem, level)
    this.#apply()
  }

  #apply(): void {
    this.#root.level = this.level()
    for (const [subsystem, child] of this.#children) child.level = this.level(subsystem)
  }
}

/** Those of a log, or of the one whose subsystem it is: the same wherever they are asked for. */
export function levelsOf(log: Log): LogLevels {
  const known = levels.get(log) ?? new LogLevels(log)
  levels.set(log, known)
  return known
}
