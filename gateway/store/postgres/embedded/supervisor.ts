/**
 * Owns PostgreSQL for all processes that use a data folder. Each holds a connection to the lease
 * socket while it does, and reads lines from it: `ready`, whenever PostgreSQL accepts connections;
 * `ended` and the reason, where it will be started again; or `failed` and the reason, the last one.
 * When the last lease has been gone for the grace time, PostgreSQL stops and the supervisor ends.
 */
import { existsSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Cluster, openCluster, type RunAs } from './cluster.ts'
import { checkPrivate, type Folders, makePrivate } from './folders.ts'
import { Journal } from './journal.ts'
import { canConnect } from './lease-socket.ts'
import { takeLock } from './lock.ts'
import { endOrphan } from './orphan.ts'
import { Postmaster } from './postmaster.ts'

export interface SupervisorOptions {
  readonly folders: Folders
  /** How long PostgreSQL stays after its last user. */
  readonly graceMs: number
  readonly runAs?: RunAs
}

/** The one before may be stopping PostgreSQL for as long as that takes (STOPS in postmaster.ts). */
const LOCK_MS_MAX = 30_000
const LOCK_POLL_MS = 50
/** Starts without success in a row, and the first pause between them, doubled each time. */
const STARTS_MAX = 5
const START_PAUSE_MS = 100
/** One that has accepted connections for so long has started with success. */
const STEADY_MS = 1_000
/** How long a failure can still be asked for. */
const FAILED_MS = 2_000

const REMOVE = { recursive: true, force: true }

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #journal: Journal
  readonly #leases = new Set<Socket>()
  readonly #server: Server
  #postmaster: Postmaster | undefined
  /** What a new lease is told at once. */
  #line = ''
  #grace: NodeJS.Timeout | undefined
  #stopping = false
  #lockInode = 0

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#journal = new Journal(options.folders.log)
    this.#server = createServer((socket) => this.#lend(socket))
  }

  /** Resolves when its work is done, at once where another supervisor does it. */
  async run(): Promise<void> {
    const { folders, runAs } = this.#options
    if (!(await this.#lock())) return
    makePrivate(folders.run)
    checkPrivate(folders.run, process.getuid?.() ?? 0)
    rmSync(folders.leaseSocket, { force: true })
    this.#server.listen(folders.leaseSocket)
    this.#awaitLease()
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => this.#stop(signal))
    try {
      const cluster = await openCluster(folders, this.#journal, runAs)
      await this.#keepRunning(cluster)
    } catch (error) {
      await this.#fail(error as Error)
    }
    this.#server.close()
    for (const lease of this.#leases) lease.destroy()
    if (existsSync(folders.lock) && !this.#holdsLock()) return
    for (const folder of [folders.run, folders.sockets]) rmSync(folder, REMOVE)
  }

  async #lock(): Promise<boolean> {
    const { lock, leaseSocket } = this.#options.folders
    for (let waited = 0; waited < LOCK_MS_MAX; waited += LOCK_POLL_MS) {
      if (takeLock(lock)) {
        this.#lockInode = statSync(lock).ino
        return true
      }
      if (await canConnect(leaseSocket)) return false
      await delay(LOCK_POLL_MS)
    }
    return false
  }

  /**
   * False where the data folder was removed, and maybe made again: another supervisor owns the name
   * then.
   */
  #holdsLock(): boolean {
    const { lock } = this.#options.folders
    return statSync(lock, { throwIfNoEntry: false })?.ino === this.#lockInode
  }

  #lend(socket: Socket): void {
    if (!this.#holdsLock()) this.#stop('its data folder is gone')
    if (this.#stopping) return void socket.destroy()
    clearTimeout(this.#grace)
    this.#leases.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#leases.delete(socket)
      this.#awaitLease()
    })
    socket.resume()
    if (this.#line) socket.write(this.#line)
  }

  #awaitLease(): void {
    if (this.#leases.size > 0 || this.#stopping) return
    clearTimeout(this.#grace)
    this.#grace = setTimeout(() => this.#stop('nobody uses it'), this.#options.graceMs)
  }

  #say(line: string): void {
    this.#line = line
    for (const lease of this.#leases) lease.write(line)
  }

  /**
   * Starts PostgreSQL, again whenever it ends by itself. Rejects when it does not start any more.
   */
  async #keepRunning(cluster: Cluster): Promise<void> {
    for (let failures = 0; !this.#stopping; ) {
      const { reason, readyMs } = await this.#runOnce(cluster)
      if (this.#stopping) return
      this.#journal.note(`PostgreSQL ended: ${reason}`)
      this.#say(`ended ${inOneLine(reason)}\n`)
      this.#line = ''
      failures = readyMs > STEADY_MS ? 1 : failures + 1
      if (failures === STARTS_MAX) throw new Error(reason)
      await delay(START_PAUSE_MS * 2 ** (failures - 1))
    }
  }

  /** Resolves with the reason of its end, and how long it has accepted connections. */
  async #runOnce(cluster: Cluster): Promise<{ reason: string; readyMs: number }> {
    const { folders } = this.#options
    await endOrphan(cluster.path, folders.sockets)
    const postmaster = new Postmaster(cluster, folders.sockets, this.#journal)
    this.#postmaster = postmaster
    try {
      if (this.#stopping) await postmaster.stop()
      await postmaster.ready
      this.#journal.note(`PostgreSQL ${cluster.binaries.major} runs (${cluster.identity.kind})`)
      this.#say('ready\n')
      const since = performance.now()
      const reason = await postmaster.ended
      return { reason, readyMs: performance.now() - since }
    } catch (error) {
      return { reason: (error as Error).message, readyMs: 0 }
    }
  }

  #stop(why: string): void {
    if (this.#stopping) return
    this.#stopping = true
    clearTimeout(this.#grace)
    this.#journal.note(`stops: ${why}`)
    // Whoever comes now finds no socket, and starts the next supervisor, which waits for the lock.
    this.#server.close()
    this.#postmaster?.stop()
  }

  /** Tells the reason to those who wait, and for a while to those who come. */
  async #fail(error: Error): Promise<void> {
    this.#journal.note(`gives up: ${error.message}`)
    this.#say(`failed ${inOneLine(error.message)}\n`)
    await delay(FAILED_MS)
  }
}

function inOneLine(text: string): string {
  return text.replaceAll('\n', ' ')
}
