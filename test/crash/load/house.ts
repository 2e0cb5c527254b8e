/** The gateway under test: bin/porthouse in a process of its own, which can be killed. */
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { type Block, ConfigSchema } from '@porthouse/proto/room/v1/config'
import { Keep } from '@porthouse/proto/room/v1/history'
import { pino } from 'pino'
import { newToken } from '../../../gateway/identity/tokens.ts'
import { openStore } from '../../../gateway/store/postgres/open.ts'
import type { Store } from '../../../gateway/store/store.ts'
import { bin, Running } from '../../cli/process.ts'
import type { Way } from './line.ts'

export const DURABLE: Block['kind'] = {
  case: 'history',
  value: { keep: Keep.DURABLE } as never,
}

export interface HouseOptions {
  /** Rooms of account acme, by their slugs, with their blocks. */
  readonly rooms: Readonly<Record<string, readonly Block['kind'][]>>
  /** Of a server; absent: the embedded one. */
  readonly databaseUrl?: string
  /** Environment of the gateway's process. */
  readonly env?: Readonly<Record<string, string>>
  /** Said before bin/porthouse, such as a limit: `ulimit -n 256`. */
  readonly shell?: string
  /** The data folder; absent: a new one, removed in the end. */
  readonly data?: string
  /** How much it logs; `warn` where it is absent. */
  readonly log?: string
  /** How long the embedded PostgreSQL outlives the opening of the store. */
  readonly graceMs?: number
}

const LISTENS = /^porthouse listens on (http:\S+) \(WebSocket (ws:\S+)\)$/m
const MQTT = /^MQTT is spoken on mqtt:\/\/127\.0\.0\.1:(\d+)/m

export class House {
  readonly data: string
  /** Of a token that may send and receive in every room. */
  readonly token: string
  readonly way: Way
  readonly #options: HouseOptions
  #gateway: Running | undefined
  #url = ''
  #mqttPort = 0

  /** Makes the account, the rooms and a token, and starts no gateway yet. */
  static async build(options: HouseOptions): Promise<House> {
    const data = options.data ?? mkdtempSync(join(tmpdir(), 'porthouse-crash-'))
    const store = await openStore({
      url: options.databaseUrl,
      dataDir: data,
      log: pino({ level: 'silent' }),
      embedded: { graceMs: options.graceMs ?? 20_000 },
    })
    const token = await furnish(store, options.rooms).finally(() => store.close())
    return new House(options, data, token)
  }

  private constructor(options: HouseOptions, data: string, token: string) {
    this.#options = options
    this.data = data
    this.token = token
    this.way = { url: () => this.#url, token }
  }

  /** Another on a copy of its data, with the same rooms and the same token. */
  on(data: string): House {
    return new House({ ...this.#options, data }, data, this.token)
  }

  get url(): string {
    return this.#url
  }

  /** Of MQTT over TCP; another after each start. */
  get mqttPort(): number {
    return this.#mqttPort
  }

  get pid(): number {
    return this.#running.process.pid!
  }

  /** What the gateway has logged. */
  get log(): string {
    return this.#running.stderr
  }

  /** Resolves when the gateway has logged this, with all that it has logged. */
  async logs(text: string | RegExp): Promise<string> {
    return this.#running.says(text, 'stderr')
  }

  get #running(): Running {
    if (!this.#gateway) throw new Error('no gateway runs')
    return this.#gateway
  }

  /** Starts the gateway, on the port that it had before. */
  async start(): Promise<void> {
    const { databaseUrl, env, shell, log = 'warn' } = this.#options
    const address = this.#url ? new URL(this.#url).host : '127.0.0.1:0'
    const args = ['run', '--http', address, '--log', log]
    const command = shell ? 'sh' : bin
    const before = shell ? ['-c', `${shell}; exec "$0" "$@"`, bin] : []
    this.#gateway = new Running([...before, ...args], {
      command,
      env: {
        PORTHOUSE_DATA: this.data,
        ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
        ...env,
      },
    })
    const [, , url] = LISTENS.exec(await this.#gateway.says(LISTENS))!
    this.#url = url!
    this.#mqttPort = Number(MQTT.exec(await this.#gateway.says(MQTT))![1])
  }

  signal(name: NodeJS.Signals): void {
    this.#running.process.kill(name)
  }

  /** Ends it in its tracks; resolves when the system says that this is what ended it. */
  async kill(): Promise<void> {
    const { process } = this.#running
    const ended = once(process, 'exit')
    process.kill('SIGKILL')
    const [, signal] = await ended
    if (signal !== 'SIGKILL') throw new Error(`the gateway had ended before: ${this.log}`)
  }

  /** Resident memory of the gateway, in bytes. */
  get memory(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
  }

  get isRunning(): boolean {
    const { exitCode, signalCode } = this.#running.process
    return exitCode === null && signalCode === null
  }

  async close(): Promise<void> {
    if (this.#gateway && this.isRunning) {
      this.signal('SIGCONT')
      await this.#gateway.stop('SIGKILL')
    }
    if (!this.#options.data) rmSync(this.data, { recursive: true, force: true, maxRetries: 20 })
  }
}

async function furnish(store: Store, rooms: HouseOptions['rooms']): Promise<string> {
  await store.accounts.create({ slug: 'acme' })
  for (const [slug, blocks] of Object.entries(rooms)) {
    const config = create(ConfigSchema, { blocks: blocks.map((kind) => ({ kind })) })
    await store.rooms.create({ account: 'acme', slug, config, author: 'test' })
  }
  const { id, hash, secret } = newToken(randomUUID(), randomBytes(32))
  const rights = { send: true, receive: true, admit: false, channels: [] }
  const grants = Object.keys(rooms).map((room) => ({ room, ...rights }))
  await store.tokens.create({ id, hash, account: 'acme', grants })
  return secret
}
