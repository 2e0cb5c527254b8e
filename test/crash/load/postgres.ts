/** The processes of the PostgreSQL under test, which can be stopped, frozen and killed. */
import { readdirSync, readFileSync } from 'node:fs'
import { vi } from 'vitest'
import { connect, type Server } from '../../../gateway/store/postgres/database.ts'
import { openFolders } from '../../../gateway/store/postgres/embedded/folders.ts'
import { gone, parentOf, postmasterOf } from '../../store/process.ts'

/** Whichever PostgreSQL a gateway uses. */
export interface Postgres {
  /** Ends it so, and keeps it down until `rise`; resolves when all of it is gone. */
  fall(signal: 'SIGKILL' | 'SIGQUIT'): Promise<void>
  /** Resolves when it answers again. */
  rise(): Promise<void>
  /** All of its processes, the first one first. */
  readonly pids: readonly number[]
}

/** The embedded one of a data folder, whose supervisor starts it again: which is held back. */
export class EmbeddedPostgres implements Postgres {
  readonly #data: string
  #supervisor = 0

  constructor(data: string) {
    this.#data = data
  }

  get pids(): number[] {
    return family(postmasterOf(this.#data))
  }

  async fall(signal: 'SIGKILL' | 'SIGQUIT'): Promise<void> {
    const { pids } = this
    this.#supervisor = parentOf(pids[0]!)
    process.kill(this.#supervisor, 'SIGSTOP')
    process.kill(pids[0]!, signal)
    // A frozen parent reaps nobody: what is dead is a zombie until then.
    await Promise.all(pids.map(gone))
  }

  async rise(): Promise<void> {
    process.kill(this.#supervisor, 'SIGCONT')
    await answers({ sockets: openFolders(this.#data).sockets })
  }

  /** Ends one of its processes and lets it recover; resolves when that one is gone. */
  async crash(which: Crash): Promise<void> {
    const { pids } = this
    const [postmaster, ...children] = pids as [number, ...number[]]
    if (which === 'a backend') {
      const [backend = 0] = children.filter((pid) => /\[local\]/.test(commandOf(pid)))
      process.kill(backend, 'SIGKILL')
      return gone(backend)
    }
    if (which === 'all, with its supervisor') process.kill(parentOf(postmaster), 'SIGKILL')
    process.kill(postmaster, which === 'an immediate stop' ? 'SIGQUIT' : 'SIGKILL')
    if (which === 'all, with its supervisor') for (const pid of children) end(pid)
    await gone(postmaster)
  }
}

export const CRASHES = [
  'the first process',
  'a backend',
  'an immediate stop',
  'all, with its supervisor',
] as const

export type Crash = (typeof CRASHES)[number]

/** One that may have ended already. */
function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Its parent's death was its own.
  }
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
}

/** Resolves when a server takes connections. */
export async function answers(server: Server): Promise<void> {
  const probe = async () => {
    const sql = connect(server, 1, 1_000)
    await sql`select 1`.finally(() => sql.end({ timeout: 0 }))
  }
  await vi.waitFor(probe, { timeout: 60_000, interval: 20 })
}

/** A process and its children. */
function family(pid: number): number[] {
  const children = readdirSync('/proc')
    .map(Number)
    .filter((each) => each > 0 && parent(each) === pid)
  return [pid, ...children]
}

function parent(pid: number): number {
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1])
  } catch {
    return 0
  }
}
