/** A real gateway on a free port, over a real store in a folder of its own. */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { type Block, ConfigSchema } from '@porthouse/proto/room/v1/config'
import { pino } from 'pino'
import type postgres from 'postgres'
import { operatorKey } from '../../gateway/admin/credentials/operator-key.ts'
import { type Config, type Settings, schema } from '../../gateway/config/config.ts'
import type { Endpoint } from '../../gateway/config/setting.ts'
import { createGateway, type Gateway } from '../../gateway/gateway.ts'
import { newApiKey } from '../../gateway/identity/api-keys.ts'
import { newToken } from '../../gateway/identity/tokens.ts'
import type { ApiRole } from '../../gateway/store/administration.ts'
import { connect } from '../../gateway/store/postgres/database.ts'
import { openFolders } from '../../gateway/store/postgres/embedded/folders.ts'
import { openStore } from '../../gateway/store/postgres/open.ts'
import type { RoomRecord, Store } from '../../gateway/store/store.ts'
import type { TokenOptions } from './memory-store.ts'

const log = pino({ level: 'silent' })

/** What a test sets; all else has its default. */
export type TestSettings = Omit<Settings, 'data'>

/** One store, and a gateway on it; the store outlives the gateway's restarts. */
export class TestGateway {
  readonly store: Store
  readonly #data: string
  readonly #ownsStore: boolean
  readonly #settings: TestSettings
  #gateway: Gateway
  #port: number

  /** Opens a store, which takes a second or two: once a file. */
  static async start(settings: TestSettings = {}): Promise<TestGateway> {
    const data = await mkdtemp(join(tmpdir(), 'porthouse-test-'))
    const store = await openStore({
      dataDir: join(data, 'store'),
      log,
      embedded: { graceMs: 1000 },
    })
    const gateway = await createGateway({ config: config(data, settings, 0), store, log })
    return new TestGateway({ store, data, ownsStore: true, settings, gateway })
  }

  private constructor(parts: {
    store: Store
    data: string
    ownsStore: boolean
    settings: TestSettings
    gateway: Gateway
  }) {
    this.store = parts.store
    this.#data = parts.data
    this.#ownsStore = parts.ownsStore
    this.#settings = parts.settings
    this.#gateway = parts.gateway
    this.#port = parts.gateway.http.port
  }

  /**
   * Another gateway on the same store, or on one that stands before it; to be stopped by itself.
   */
  async beside(
    settings: TestSettings = {},
    store: Store = this.store,
    itsLog = log,
  ): Promise<TestGateway> {
    const parts = { config: config(this.#data, settings, 0), store, log: itsLog }
    const gateway = await createGateway(parts)
    return new TestGateway({ store, data: this.#data, ownsStore: false, settings, gateway })
  }

  get port(): number {
    return this.#port
  }

  /** Where it listens in fact, by what is there. */
  get endpoints(): Record<string, Endpoint> {
    const { http, https, admin, metrics, mqtt, mqttTls } = this.#gateway
    const all = Object.entries({ http, https, admin, metrics, mqtt, mqttTls })
    return Object.fromEntries(all.filter((one): one is [string, Endpoint] => one[1] !== undefined))
  }

  /** Where MQTT listens on TCP. */
  get mqttPort(): number {
    const { mqtt } = this.#gateway
    if (!mqtt) throw new Error('MQTT is off')
    return mqtt.port
  }

  /** Where MQTT listens on TLS. */
  get mqttTlsPort(): number {
    const { mqttTls } = this.#gateway
    if (!mqttTls) throw new Error('MQTT on TLS is off')
    return mqttTls.port
  }

  /** Where HTTP listens on TLS. */
  get httpsPort(): number {
    const { https } = this.#gateway
    if (!https) throw new Error('HTTP on TLS is off')
    return https.port
  }

  /** Where metrics are for everybody. */
  get metricsPort(): number {
    const { metrics } = this.#gateway
    if (!metrics) throw new Error('metrics.listen is off')
    return metrics.port
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`
  }

  /** Its data folder, which has the operator's key. */
  get data(): string {
    return this.#data
  }

  /** Live sessions. */
  get sockets(): number {
    return this.#gateway.sockets
  }

  /** Makes a room, `account/room`, and its account where that is missing. */
  async room(address: string, blocks: Block['kind'][] = []): Promise<RoomRecord> {
    const [account, slug] = address.split('/') as [string, string]
    if (!(await this.store.accounts.find(account))) {
      await this.store.accounts.create({ slug: account })
    }
    const room = create(ConfigSchema, { blocks: blocks.map((kind) => ({ kind })) })
    return this.store.rooms.create({ account, slug, config: room, author: 'test' })
  }

  /** The secret of a new token with rights in rooms of the account, given by their slugs. */
  async token(account: string, rooms: string[], options: TokenOptions = {}): Promise<string> {
    const { send = true, receive = true, admit = false, channels = [], ...rest } = options
    const { id, hash, secret } = newToken(randomUUID(), randomBytes(32))
    const grants = rooms.map((room) => ({ room, send, receive, admit, channels }))
    await this.store.tokens.create({ id, hash, account, grants, ...rest })
    return secret
  }

  /** A statement past the store, as a gateway of another version would have it. */
  async sql(run: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
    const sql = connect({ sockets: openFolders(join(this.#data, 'store')).sockets }, 1, 0)
    await run(sql).finally(() => sql.end())
  }

  /** What administers all of it. */
  operatorKey(): Promise<string> {
    return operatorKey(this.#data)
  }

  /** The secret of a new API key: of an account, or of the gateway itself. */
  async apiKey(role: ApiRole, account?: string): Promise<string> {
    const { id, hash, secret } = newApiKey(randomUUID(), randomBytes(32))
    const key = { id, hash, role, label: 'test', ...(account && { account }) }
    await this.store.apiKeys.create(key)
    return secret
  }

  /** Past the store, on a connection of its own. */
  async inSql<T>(use: (sql: ReturnType<typeof connect>) => Promise<T>): Promise<T> {
    const sql = connect({ sockets: openFolders(join(this.#data, 'store')).sockets }, 1, 0)
    try {
      return await use(sql)
    } finally {
      await sql.end()
    }
  }

  /** Resolves when it has ended, by whoever wanted that. */
  get ended(): Promise<void> {
    return this.#gateway.ended
  }

  /** Ends in order, as on SIGTERM. */
  drain(): Promise<void> {
    return this.#gateway.drain()
  }

  /** Starts again on the same port, after a drain. */
  async resume(): Promise<void> {
    const { mqtt } = this.#gateway
    const listen = mqtt && `127.0.0.1:${mqtt.port}`
    const before = {
      ...this.#settings,
      mqtt: { ...(listen && { listen }), ...this.#settings.mqtt },
    }
    const settings = config(this.#data, before, this.#port)
    this.#gateway = await createGateway({ config: settings, store: this.store, log })
  }

  async stop(): Promise<void> {
    await this.drain()
    if (!this.#ownsStore) return
    await this.store.close()
    // The database may still be at its last writes.
    await rm(this.#data, { recursive: true, force: true, maxRetries: 20 })
  }
}

function config(data: string, settings: TestSettings, port: number): Config {
  const http = { listen: `127.0.0.1:${port}`, ...settings.http }
  const mqtt = { listen: '127.0.0.1:0', ...settings.mqtt }
  return schema.parse({ drainMs: 500, ...settings, data, http, mqtt })
}
