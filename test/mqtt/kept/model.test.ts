/**
 * Whatever happens to connections and to the gateway: what was published with QoS 1 comes to those
 * who had subscribed, in the order of each topic, and twice only with DUP.
 */
import fc from 'fast-check'
import type { IPublishPacket } from 'mqtt-packet'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type MqttClient, resetMqttClients } from '../../support/mqtt-client.ts'
import { arrive, type House, startHouse, textOf } from './house.ts'

const RUNS = 25
const FILTERS = ['acme/hall/a', 'acme/hall/#', 'acme/attic/+', 'acme/attic/b'] as const
const TOPICS = ['acme/hall/a', 'acme/hall/b', 'acme/attic/a', 'acme/attic/b'] as const

let house: House

beforeAll(async () => {
  house = await startHouse()
})
afterAll(() => house.gateway.stop())

function matches(filter: string, topic: string): boolean {
  return filter === topic || (/[#+]$/.test(filter) && topic.startsWith(filter.slice(0, -1)))
}

/** One client, and what it is to get. */
class Device {
  readonly id: string
  client: MqttClient | undefined
  isKept = false
  readonly filters = new Set<string>()
  /** Texts by topic, in order, that it must get. */
  readonly #owed = new Map<string, string[]>()
  /** Those that it may get, or not: it has unsubscribed meanwhile. */
  readonly #free = new Set<string>()
  readonly #had = new Set<string>()
  #open: IPublishPacket[] = []

  constructor(id: string) {
    this.id = id
  }

  async come(clean = false): Promise<void> {
    const { client, present } = await arrive(house, this.id, { clean })
    expect(present).toBe(this.isKept && !clean)
    this.client = client
    this.isKept = true
    this.#open = []
    if (!clean) return
    this.#release()
    this.filters.clear()
  }

  owe(topic: string, text: string): void {
    if (![...this.filters].some((filter) => matches(filter, topic))) return
    this.#owed.set(topic, [...(this.#owed.get(topic) ?? []), text])
  }

  /** What it has not got yet it may never get. */
  #release(): void {
    for (const text of [...this.#owed.values()].flat()) this.#free.add(text)
    this.#owed.clear()
  }

  async unsubscribe(filter: string): Promise<void> {
    await this.#listen(this.client?.unsubscribe(filter))
    this.filters.delete(filter)
    this.#release()
  }

  async subscribe(filter: string): Promise<void> {
    await this.#listen(this.client?.subscribe(filter, 1))
    this.filters.add(filter)
  }

  async #listen(answer: Promise<unknown> | undefined): Promise<void> {
    await answer
  }

  take(packet: IPublishPacket): void {
    const text = textOf(packet)
    const { topic, dup } = packet
    this.#open.push(packet)
    if (this.#had.has(text)) {
      expect(dup, `${text} came twice without DUP`).toBe(true)
      return
    }
    this.#had.add(text)
    if (this.#free.has(text)) return
    const [next, ...rest] = this.#owed.get(topic) ?? []
    expect(text, `on ${topic}`).toBe(next)
    this.#owed.set(topic, rest)
  }

  async look(): Promise<void> {
    for (const packet of (await this.client?.settled()) ?? []) {
      if (packet.cmd === 'publish') this.take(packet)
    }
  }

  acknowledge(): void {
    for (const { messageId } of this.#open)
      this.client?.send({ cmd: 'puback', messageId: messageId! })
    this.#open = []
  }

  get isOwed(): boolean {
    return [...this.#owed.values()].some((texts) => texts.length > 0)
  }

  async #next(): Promise<IPublishPacket> {
    const late = new Promise<never>((_, reject) => {
      const owed = () => JSON.stringify([...this.#owed])
      setTimeout(() => reject(new Error(`${this.id} is still owed ${owed()}`)), 5_000).unref()
    })
    return Promise.race([this.client?.next('publish') as Promise<IPublishPacket>, late])
  }

  /** Gets all that it is to get, and nothing else. */
  async finish(): Promise<void> {
    if (!this.client) await this.come()
    this.acknowledge()
    while (this.isOwed) {
      this.take(await this.#next())
      this.acknowledge()
    }
    await this.look()
    this.acknowledge()
    await this.client?.disconnect()
  }
}

interface Model {
  readonly there: boolean[]
}
interface Real {
  readonly devices: readonly Device[]
  sender: MqttClient
  texts: number
}

interface Deed extends fc.AsyncCommand<Model, Real> {}

function deed(
  name: string,
  check: (model: Model) => boolean,
  run: (model: Model, real: Real) => Promise<void>,
): Deed {
  return { check, run, toString: () => name }
}

const ofDevice = (
  name: string,
  wants: boolean,
  run: (device: Device, model: Model, at: number) => Promise<void>,
) =>
  fc.nat(1).map((at) =>
    deed(
      `${name}(${at})`,
      (model) => model.there[at] === wants,
      async (model, real) => run(real.devices[at] as Device, model, at),
    ),
  )

const topics = fc.constantFrom(...TOPICS)
const counts = fc.integer({ min: 1, max: 40 })
const filters = fc.tuple(fc.nat(1), fc.constantFrom(...FILTERS))

async function publish(real: Real, topic: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const text = `${real.texts++}`
    for (const device of real.devices) device.owe(topic, text)
    expect(await real.sender.publish(topic, text, { qos: 1 })).toBeLessThan(0x80)
  }
}

const publishes = fc.tuple(topics, counts).map(([topic, count]) =>
  deed(
    `publish(${topic}, ${count})`,
    () => true,
    (_, real) => publish(real, topic, count),
  ),
)

const breaks = ofDevice('break', true, async (device, model, at) => {
  device.client?.reset()
  device.client = undefined
  model.there[at] = false
})

/** What is sent meanwhile is for it all the same. */
const comes = fc.tuple(fc.nat(1), topics).map(([at, topic]) =>
  deed(
    `come(${at}, ${topic})`,
    ({ there }) => there[at] === false,
    async (model, real) => {
      const come = real.devices[at]?.come().then(() => {
        model.there[at] = true
      })
      while (!model.there[at]) await publish(real, topic, 1)
      await come
    },
  ),
)

const deeds = [
  ...[publishes, publishes, publishes, breaks, breaks, comes, comes, comes],
  ofDevice('leave', true, async (device, model, at) => {
    await device.client?.disconnect()
    device.client = undefined
    model.there[at] = false
  }),
  ofDevice('takeOver', true, (device) => device.come()),
  ofDevice('look', true, (device) => device.look()),
  ofDevice('acknowledge', true, async (device) => device.acknowledge()),
  filters.map(([at, filter]) =>
    deed(
      `subscribe(${at}, ${filter})`,
      ({ there }) => there[at] === true,
      async (_, real) => real.devices[at]?.subscribe(filter),
    ),
  ),
  filters.map(([at, filter]) =>
    deed(
      `unsubscribe(${at}, ${filter})`,
      ({ there }) => there[at] === true,
      async (_, real) => real.devices[at]?.unsubscribe(filter),
    ),
  ),
  fc.constant(
    deed(
      'restart',
      () => true,
      async (model, real) => {
        await house.gateway.drain()
        await house.gateway.resume()
        for (const [at, device] of real.devices.entries()) {
          device.client = undefined
          model.there[at] = false
        }
        real.sender = await newSender()
      },
    ),
  ),
]

async function newSender(): Promise<MqttClient> {
  const { client } = await arrive(house, 'sender', { expiry: 0, clean: true })
  return client
}

it('loses nothing, and doubles nothing without a word', async () => {
  let run = 0
  const commands = fc.commands(deeds, { maxCommands: 40, size: 'max' })
  await fc.assert(
    fc.asyncProperty(commands, async (some) => {
      resetMqttClients()
      run++
      const sender = await newSender()
      const devices = [0, 1].map((at) => new Device(`model-${run}-${at}`))
      const real: Real = { devices, sender, texts: 0 }
      await fc.asyncModelRun(() => ({ model: { there: [false, false] }, real }), some)
      for (const device of devices) await device.finish()
    }),
    { numRuns: RUNS, endOnFailure: false },
  )
}, 240_000)
