/** The right to use the embedded PostgreSQL, which runs while somebody has one. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fchownSync, openSync } from 'node:fs'
import type { Socket } from 'node:net'
import { extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../../../observe/log.ts'
import { unavailable } from '../failure.ts'
import type { RunAs } from './cluster.ts'
import { checkPrivate, type Folders, openFolders, ownerOf } from './folders.ts'
import { connectLease } from './lease-socket.ts'
import type { SupervisorOptions } from './supervisor.ts'

export interface EmbeddedOptions {
  readonly dataDir: string
  readonly log: Log
  /** How long PostgreSQL stays after its last user, in ms; 20,000 where it is absent. */
  readonly graceMs?: number
  /**
   * How root runs PostgreSQL; where it is absent, in a user namespace if the machine allows one.
   */
  readonly runAs?: RunAs
}

const GRACE_MS = 20_000
/** A recovery after a crash reads at most max_wal_size of log, which takes seconds. */
const START_MS_MAX = 60_000
const POLL_MS = 20
/** Supervisors that end without a word before the way to start them is taken to be broken. */
const SUPERVISORS_MAX = 3
/** Between attempts to have a lost lease again: doubled up to the second. */
const RETAKE_MS = 50
const RETAKE_MS_MAX = 2_000

export class Lease {
  /** Folder of PostgreSQL's socket. */
  readonly sockets: string
  readonly #options: EmbeddedOptions
  readonly #folders: Folders
  #socket: Socket | undefined
  #released = false
  /** Why it was last told to be away; undefined while it runs. */
  #away: string | undefined

  private constructor(options: EmbeddedOptions, folders: Folders) {
    this.#options = options
    this.#folders = folders
    this.sockets = folders.sockets
  }

  /**
   * Resolves when PostgreSQL accepts connections: it is started where it does not run, and made
   * where there is none. Rejects with `unavailable` and the reason. A lease that is lost is taken
   * again, by itself.
   */
  static async take(options: EmbeddedOptions): Promise<Lease> {
    try {
      const lease = new Lease(options, openFolders(options.dataDir))
      await lease.#take()
      return lease
    } catch (error) {
      throw unavailable((error as Error).message, error)
    }
  }

  release(): void {
    this.#released = true
    this.#socket?.destroy()
  }

  async #take(): Promise<void> {
    const socket = await this.#acquire()
    // The store's user decides how long the process lives, not the lease.
    socket.unref()
    createInterface({ input: socket }).on('line', (line) => this.#hear(line))
    this.#socket = socket
    socket.on('close', () => this.#retake())
    if (this.#released) socket.destroy()
    else if (socket.closed) this.#retake()
  }

  /** Tells the operator once that it is away, and once that it is back. */
  #hear(line: string): void {
    const [, reason] = /^(?:ended|failed) (.*)/.exec(line) ?? []
    if (reason !== undefined) this.#lost(reason)
    else if (line === 'ready') this.#back()
  }

  #lost(reason: string): void {
    if (this.#away === reason) return
    this.#away = reason
    this.#options.log.warn({ reason }, 'the embedded PostgreSQL is away, and is started again')
  }

  #back(): void {
    if (this.#away === undefined) return
    this.#away = undefined
    this.#options.log.info('the embedded PostgreSQL runs again')
  }

  async #acquire(): Promise<Socket> {
    const { leaseSocket } = this.#folders
    const deadline = performance.now() + START_MS_MAX
    let supervisor: ChildProcess | undefined
    let supervisors = 0
    while (performance.now() < deadline) {
      this.#checkRun()
      const socket = await connectLease(leaseSocket)
      if (socket && (await isReady(socket, Math.max(1, deadline - performance.now()))))
        return socket
      if (!supervisor || hasEnded(supervisor)) {
        if (supervisors++ === SUPERVISORS_MAX) break
        supervisor = this.#startSupervisor()
      }
      await delay(POLL_MS)
    }
    throw new Error(`PostgreSQL did not start; see ${this.#folders.log}`)
  }

  /** Connects to nothing that somebody else could have put there. */
  #checkRun(): void {
    const { data, run } = this.#folders
    try {
      checkPrivate(run, ownerOf(data).uid)
    } catch (error) {
      // The supervisor makes it.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  /** Starts one in a session of its own, so that a terminal's Ctrl-C does not reach it. */
  #startSupervisor(): ChildProcess {
    const { graceMs = GRACE_MS, runAs } = this.#options
    const folders = this.#folders
    const options: SupervisorOptions = { folders, graceMs, ...(runAs && { runAs }) }
    // Run from source and as built alike.
    const script = join(import.meta.dirname, `supervise${extname(import.meta.filename)}`)
    const args = ['--disable-warning=ExperimentalWarning', script, JSON.stringify(options)]
    const log = openSync(folders.log, 'a', 0o600)
    // Root leaves nothing of its own in the data folder of another user.
    const owner = process.getuid?.() === 0 ? ownerOf(folders.data) : undefined
    if (owner) fchownSync(log, owner.uid, owner.gid)
    const child = spawn(process.execPath, args, {
      ...owner,
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', log],
    })
    closeSync(log)
    child.on('error', () => {})
    child.unref()
    return child
  }

  async #retake(): Promise<void> {
    if (!this.#released && this.#away === undefined) this.#lost('its supervisor has ended')
    for (let ms = RETAKE_MS; !this.#released; ms = Math.min(2 * ms, RETAKE_MS_MAX)) {
      await delay(ms, undefined, { ref: false })
      if (this.#released) return
      try {
        await this.#take()
        return this.#back()
      } catch (error) {
        this.#lost((error as Error).message)
      }
    }
  }
}

/**
 * Waits for the supervisor's word. False where it ends without one; throws the reason where it
 * failed.
 */
async function isReady(socket: Socket, ms: number): Promise<boolean> {
  const lines = createInterface({ input: socket })
  const patience = AbortSignal.timeout(Math.ceil(ms))
  const word = Promise.withResolvers<string>()
  const give = () => word.resolve('')
  // What it says before is of starts that are made again.
  lines.on('line', (line) => /^(ready$|failed )/.test(line) && word.resolve(line))
  socket.on('close', give)
  patience.addEventListener('abort', give)
  const line = await word.promise
  lines.close()
  if (line === 'ready') return true
  socket.destroy()
  if (line !== '') throw new Error(line.slice('failed '.length))
  return false
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}
