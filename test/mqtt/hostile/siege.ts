/**
 * A gateway that is attacked, and somebody beside who is not to notice: his round trips go on all
 * the time, he hears what he has sent and nothing else, and the log holds no secret and no payload.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Block } from '@porthouse/proto/room/v1/config'
import { pino } from 'pino'
import { expect } from 'vitest'
import { schema } from '../../../gateway/config/config.ts'
import { createGateway, type Gateway } from '../../../gateway/gateway.ts'
import { type NewGrant, type Store, StoreError } from '../../../gateway/store/store.ts'
import { TestGateway, type TestSettings } from '../../support/gateway.ts'
import type { TokenOptions } from '../../support/memory-store.ts'
import { type ConnectInit, MqttClient, type Version } from '../../support/mqtt-client.ts'

/** In every payload of an attack that counts on being found in a log. */
export const PAYLOAD = 'the-payload-of-an-attack'

const CALM = 'acme/calm'

/** Between two of the bystander's round trips, in milliseconds: the machine is the attack's. */
const PACE_MS = 10

export interface Comes extends ConnectInit {
  readonly version?: Version
}

export interface Token {
  readonly id: string
  readonly secret: string
}

/** What a test may do to the store, and see of the log. */
interface Watch {
  /** Every question to the store is refused. */
  away: boolean
  /** Every question waits for it. */
  gate: Promise<void> | undefined
  /** Lines of the log from `info` on. */
  lines: string[]
}

export class Siege {
  readonly gateway: Gateway
  readonly base: TestGateway
  readonly watch: Watch
  readonly #secrets: string[] = [PAYLOAD]
  #bystander: MqttClient | undefined
  #rounds = 0
  #round = Promise.withResolvers<void>()
  #over = false
  #strolling: Promise<void> | undefined

  /** Rooms of account `acme`, and one of account `rival`; a bystander in a room of his own. */
  static async start(
    rooms: Record<string, Block['kind'][]>,
    settings: TestSettings = {},
  ): Promise<Siege> {
    const base = await TestGateway.start({ features: ['websocket'] })
    const watch: Watch = { away: false, gate: undefined, lines: [] }
    const gateway = await createGateway({
      config: schema.parse({
        drainMs: 500,
        ...settings,
        features: ['websocket', 'mqtt'],
        data: 'nowhere',
        http: { listen: '127.0.0.1:0' },
        mqtt: { listen: '127.0.0.1:0', ...settings.mqtt },
      }),
      store: fragile(base.store, watch),
      log: pino({ level: 'info' }, { write: (line: string) => void watch.lines.push(line) }),
    })
    const siege = new Siege(base, gateway, watch)
    for (const [room, blocks] of Object.entries(rooms)) await base.room(`acme/${room}`, blocks)
    await base.room(CALM)
    await base.room('rival/yard')
    await siege.#calm()
    return siege
  }

  private constructor(base: TestGateway, gateway: Gateway, watch: Watch) {
    this.base = base
    this.gateway = gateway
    this.watch = watch
  }

  get port(): number {
    return this.gateway.mqtt?.port as number
  }

  async token(rooms: string[], options: TokenOptions = {}, account = 'acme'): Promise<Token> {
    const secret = await this.base.token(account, rooms, options)
    this.#secrets.push(secret.slice(-43))
    const { id } = (await this.base.store.tokens.list(account)).at(-1)!
    return { id, secret }
  }

  /** Gives a token other rights than it had. */
  async change({ id }: Token, ...grants: (Partial<NewGrant> & { room: string })[]): Promise<void> {
    const all = { send: true, receive: true, admit: false, channels: [] }
    await this.base.store.tokens.change(id, { grants: grants.map((one) => ({ ...all, ...one })) })
  }

  /** By a token of `acme`; a clean session of MQTT 5, unless said otherwise. */
  enter({ secret }: Token, init: Comes = {}): Promise<MqttClient> {
    const login = { username: 'acme', password: secret }
    return MqttClient.connected(this.port, { version: 5, ...login, ...init })
  }

  /** As `enter`, and gives what CONNACK says; the connection is over where that refuses. */
  async tries({ secret }: Token, { version = 5, ...init }: Comes = {}): Promise<number> {
    const client = await MqttClient.open(this.port, { version })
    const connack = await client.connect({ username: 'acme', password: secret, ...init })
    const code = version === 5 ? connack.reasonCode : connack.returnCode
    if (code === 0) await client.disconnect()
    else await client.ended
    return code as number
  }

  /** For afterEach: the bystander goes on, and the log is clean. */
  async unmoved(): Promise<void> {
    this.watch.away = false
    for (let i = 0; i < 2; i++) await this.#round.promise
    const log = this.watch.lines.join('')
    for (const secret of this.#secrets) {
      for (const form of [secret, Buffer.from(secret).toString('base64').replace(/=+$/, '')]) {
        expect(log).not.toContain(form)
      }
    }
  }

  /** How many round trips of the bystander there were until now. */
  get rounds(): number {
    return this.#rounds
  }

  async stop(): Promise<void> {
    this.#over = true
    await this.#strolling
    this.#bystander?.reset()
    await this.gateway.drain()
    await this.base.stop()
  }

  async #calm(): Promise<void> {
    const token = await this.token(['calm'])
    const client = await MqttClient.open(this.port, { version: 5, kept: true })
    await client.connect({ username: 'acme', password: token.secret, clientId: 'bystander' })
    expect(await client.subscribe(CALM, 1)).toEqual([1])
    this.#bystander = client
    this.#strolling = this.#stroll(client)
    this.#strolling.catch((error) => this.#round.reject(error))
    this.#round.promise.catch(() => undefined)
  }

  async #stroll(client: MqttClient): Promise<void> {
    while (!this.#over) {
      const payload = `${++this.#rounds}`
      expect([payload, await client.publish(CALM, payload, { qos: 1 })]).toEqual([payload, 0])
      expect((await client.message()).payload.toString()).toBe(payload)
      expect(client.waiting).toEqual([])
      this.#round.resolve()
      this.#round = Promise.withResolvers()
      await pause(PACE_MS)
    }
  }
}

/** The same store, which can be away. */
function fragile(store: Store, watch: Watch): Store {
  const parts = Object.entries(store).map(([name, part]) => {
    const get = (target: object, method: string) => {
      const found = Reflect.get(target, method)
      if (typeof found === 'object' && found !== null) return wrapped(found)
      if (typeof found !== 'function' || name === 'changes') return found?.bind?.(target) ?? found
      return (...given: unknown[]) => {
        if (watch.gate) return watch.gate.then(() => found.apply(target, given))
        if (!watch.away) return found.apply(target, given)
        const cause = new Error('connection refused')
        return Promise.reject(new StoreError('unavailable', 'the database is away', cause))
      }
    }
    const wrapped = (target: object) => new Proxy(target, { get } as ProxyHandler<object>)
    return [name, typeof part === 'object' ? wrapped(part) : part]
  })
  return Object.assign(Object.create(store), Object.fromEntries(parts))
}

const MARK = 'the end'

/**
 * What it hears up to now of rooms that it may publish in, `topic` among them: what was kept for it
 * comes before what is sent now, which an answer to PINGREQ says nothing of.
 */
export async function heard(client: MqttClient, topic: string): Promise<string[]> {
  expect(await client.subscribe([{ topic, qos: 1, rh: 2 }])).toEqual([1])
  await client.publish(topic, MARK, { qos: 1 })
  const payloads: string[] = []
  for (;;) {
    const payload = `${(await client.message()).payload}`
    if (payload === MARK) return payloads
    payloads.push(payload)
  }
}
