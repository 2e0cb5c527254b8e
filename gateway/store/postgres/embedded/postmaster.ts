/** PostgreSQL's first process: started, watched and stopped. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, lstatSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import { checkPrivate, makePrivate } from './folders.ts'
import { type Identity, spawnAs } from './identity.ts'
import { type Journal, reasonIn } from './journal.ts'

/**
 * How it is asked to stop (fast, immediately, at once), and how long it may take over each, in ms.
 */
export const STOPS = [
  ['SIGINT', 20_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 1_000],
] as const

const READY = 'database system is ready to accept connections'
/** Of what PostgreSQL said last, kept for the reason of its end. */
const LAST_WORDS_CHARS = 4_000

/** A gateway of one machine: a few connections, and memory that a small machine has. */
const SETTINGS = {
  listen_addresses: '',
  port: '5432',
  unix_socket_permissions: '0700',
  max_connections: '50',
  shared_buffers: '64MB',
  max_wal_size: '512MB',
  // A log file that is used again is there at once; a new one has all appends wait for its zeros.
  min_wal_size: '256MB',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  logging_collector: 'off',
  log_destination: 'stderr',
  log_checkpoints: 'off',
  // Statements and details hold what users have written (threat S3).
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_line_prefix: '%m [%p] ',
  log_timezone: 'UTC',
  lc_messages: 'C',
}

export class Postmaster {
  /**
   * Resolves when it accepts connections, recovery done; rejects with the reason where it ended
   * before.
   */
  readonly ready: Promise<void>
  /** Resolves with the reason when the process has ended. */
  readonly ended: Promise<string>
  readonly #process: ChildProcess

  /** Starts it. The cluster must have no other, and the supervisor must hold its lock. */
  constructor(cluster: Cluster, sockets: string, journal: Journal) {
    const { binaries, identity, path } = cluster
    prepareSockets(identity, sockets)
    const settings = Object.entries(SETTINGS).map(([key, value]) => `${key}=${value}`)
    const args = [
      '-D',
      path,
      ...[...settings, socketsSetting(sockets)].flatMap((one) => ['-c', one]),
    ]
    const child = spawnAs(identity, binaries.postgres, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const leash = holdOnLeash(child)
    const ready = Promise.withResolvers<void>()
    let lastWords = ''
    createInterface({ input: child.stderr! }).on('line', (line) => {
      journal.write(`${line}\n`)
      lastWords = `${lastWords}${line}\n`.slice(-LAST_WORDS_CHARS)
      if (line.endsWith(READY)) ready.resolve()
    })
    this.#process = child
    this.ready = ready.promise
    this.ended = once(child, 'exit').then(
      // Of a kill, what the others said last would be the consequence.
      ([code, signal]) =>
        signal
          ? `it was ended by ${signal}`
          : (reasonIn(lastWords) ?? `it ended with exit code ${code}`),
      (error: Error) => error.message,
    )
    this.ended.then((reason) => {
      leash?.kill('SIGKILL')
      ready.reject(new Error(`PostgreSQL does not run: ${reason}`))
    })
  }

  /** Ends sessions, writes a checkpoint and ends; what hangs is ended without. */
  async stop(): Promise<void> {
    for (const [signal, ms] of STOPS) {
      this.#process.kill(signal)
      const patience = new AbortController()
      const late = delay(ms, 'late', patience).catch(() => 'late')
      const outcome = await Promise.race([this.ended.then(() => 'ended'), late])
      patience.abort()
      if (outcome === 'ended') return
    }
  }
}

/** The setting by which a PostgreSQL of one data folder is known among all processes. */
export function socketsSetting(sockets: string): string {
  return `unix_socket_directories=${sockets}`
}

function prepareSockets(identity: Identity, sockets: string): void {
  const self = process.getuid?.() ?? 0
  makePrivate(sockets)
  const owner = identity.kind === 'user' ? identity.uid : self
  if (identity.kind === 'user' && lstatSync(sockets).uid === self) {
    chownSync(sockets, identity.uid, identity.gid)
  }
  checkPrivate(sockets, owner)
}

/**
 * A process that stops PostgreSQL when the supervisor is gone, however that ended: its pipe ends
 * then.
 */
function holdOnLeash({ pid }: ChildProcess): ChildProcess | undefined {
  if (pid === undefined) return undefined
  const leash = spawn('sh', ['-c', 'read -r _; kill -INT "$1"', 'sh', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  })
  return leash.on('error', () => {})
}
