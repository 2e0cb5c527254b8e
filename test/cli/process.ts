/** The command line as a user has it: bin/porthouse in a process of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { pino } from 'pino'
import { announce } from '../../gateway/cli/reach/running.ts'
import { loadConfig } from '../../gateway/config/load.ts'
import { createGateway, type Gateway } from '../../gateway/gateway.ts'
import { openStore } from '../../gateway/store/postgres/open.ts'
import type { Store } from '../../gateway/store/store.ts'

export const bin = resolve(import.meta.dirname, '../../bin/porthouse')

export interface RunOptions {
  readonly env?: Record<string, string>
  /** All of stdin; empty where it is not given. */
  readonly input?: string | Uint8Array
  readonly cwd?: string
  readonly command?: string
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Gateways of tests stand beside each other, and beside a broker that the machine may have. */
const FREE_PORT = { PORTHOUSE_MQTT: '127.0.0.1:0' }

/** A command that runs. */
export class Running {
  readonly process: ChildProcessWithoutNullStreams
  stdout = ''
  stderr = ''
  readonly #ended: Promise<Ended>

  constructor(args: readonly string[], { env, cwd, command = bin }: RunOptions = {}) {
    const { PATH = '', HOME = '' } = process.env
    this.process = spawn(command, args, { env: { PATH, HOME, ...FREE_PORT, ...env }, cwd })
    this.process.stdout.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString()
    })
    this.process.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString()
    })
    // A command that has ended takes no more input.
    this.process.stdin.on('error', () => {})
    this.#ended = once(this.process, 'close').then(([code]) => ({
      code: code as number | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }))
  }

  get ended(): Promise<Ended> {
    return this.#ended
  }

  /** Waits until one of its streams has said this; rejects where it ends before. */
  async says(text: string | RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<string> {
    const heard = () =>
      typeof text === 'string' ? this[stream].includes(text) : text.test(this[stream])
    const source: Readable = this.process[stream]
    while (!heard()) {
      const ended = await Promise.race([once(source, 'data').then(() => undefined), this.#ended])
      if (ended && !heard()) throw new Error(`ended without ${text}: ${JSON.stringify(ended)}`)
    }
    return this[stream]
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.process.kill(signal)
    return this.#ended
  }
}

/** Runs a command to its end. */
export async function porthouse(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const running = new Running(args, options)
  running.process.stdin.end(options.input ?? '')
  return running.ended
}

/** Runs a command that prints JSON and succeeds, and reads what it prints. */
export async function json<T>(args: readonly string[], options: RunOptions = {}): Promise<T> {
  const { code, stdout, stderr } = await porthouse([...args, '--json'], options)
  if (code !== 0) throw new Error(`${args.join(' ')} exits with ${code}: ${stderr}`)
  return JSON.parse(stdout) as T
}

export function linesOf<T>(stdout: string): T[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T)
}

/** A data folder whose database lives as long as this does, so that commands find it running. */
export class DataFolder {
  readonly path: string
  readonly store: Store
  #gateway: Gateway | undefined

  static async open(): Promise<DataFolder> {
    const path = mkdtempSync(join(tmpdir(), 'porthouse-cli-'))
    const log = pino({ level: 'silent' })
    return new DataFolder(
      path,
      await openStore({ dataDir: path, log, embedded: { graceMs: 1000 } }),
    )
  }

  /** The same with a gateway on it, which commands find and ask. */
  static async served(): Promise<DataFolder> {
    const folder = await DataFolder.open()
    const { path, store } = folder
    const settings = { http: { listen: '127.0.0.1:0' }, mqtt: { listen: '127.0.0.1:0' } }
    const { config } = loadConfig({ settings: { ...settings, data: path }, env: {} })
    folder.#gateway = await createGateway({ config, store, log: pino({ level: 'silent' }) })
    await announce(config, { url: `http://127.0.0.1:${folder.#gateway.http.port}` })
    return folder
  }

  private constructor(path: string, store: Store) {
    this.path = path
    this.store = store
  }

  get env(): Record<string, string> {
    return { PORTHOUSE_DATA: this.path }
  }

  async close(): Promise<void> {
    await this.#gateway?.drain()
    await this.store.close()
    rmSync(this.path, { recursive: true, force: true })
  }
}
