/**
 * One of many subscribers reads nothing any more, as a process that is stopped: all others hear
 * all, and it is dropped, or loses some, as its room says (R46, L2).
 */
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Running } from '../cli/process.ts'
import { percentile, report } from '../crash/load/report.ts'
import { MqttClient, resetMqttClients } from '../support/mqtt-client.ts'
import { Hub } from './hub.ts'

const READERS = 50
/** More than what the kernel and the gateway hold for a socket that nobody reads. */
const MESSAGES = { before: 60, during: 400 }
const PAYLOAD_BYTES = 24_576
const OUTBOX_BYTES = 262_144
const LOST = '$porthouse/v1/json/room'

let hub: Hub
let secret: string

beforeAll(async () => {
  const limits = { frameBytes: OUTBOX_BYTES, payloadBytes: OUTBOX_BYTES / 2 }
  hub = await Hub.start({ outbox: { bytes: OUTBOX_BYTES }, limits })
  await hub.json(['account', 'create', 'acme'])
  await hub.json(['room', 'create', 'acme/strict'])
  await hub.json(['room', 'create', 'acme/lenient', '--slow', 'drop-oldest'])
  const rights = ['--room', 'strict:send,receive', '--room', 'lenient:send,receive']
  secret = (await hub.json<{ secret: string }>(['token', 'create', 'acme', ...rights])).secret
})
afterEach(resetMqttClients)
afterAll(async () => {
  expect(await hub.stop()).toMatchObject({ code: 0 })
})

const login = () => ({ username: 'acme', password: secret })

/** One that hears a topic, and how long each message took, in ms. */
class Reader {
  readonly took: number[] = []
  readonly heard: number[] = []
  readonly #client: MqttClient

  static async open(topic: string): Promise<Reader> {
    const client = await MqttClient.connected(hub.mqttPort, { version: 5, ...login() })
    await client.subscribe(topic)
    return new Reader(client)
  }

  private constructor(client: MqttClient) {
    this.#client = client
  }

  /** Resolves when so many have come. */
  async hears(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const { payload } = await this.#client.next('publish')
      const [number, at] = payload.toString('latin1', 0, 40).split(' ')
      this.heard.push(Number(number))
      this.took.push(performance.now() - Number(at))
    }
  }
}

class Sender {
  #count = 0
  readonly #client: MqttClient
  readonly #topic: string

  constructor(client: MqttClient, topic: string) {
    this.#client = client
    this.#topic = topic
  }

  async sends(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const number = ++this.#count
      // By its length it can be told which it is.
      const payload = Buffer.alloc(PAYLOAD_BYTES + number, '.')
      payload.write(`${number} ${performance.now()} `)
      expect(await this.#client.publish(this.#topic, payload, { qos: 1 })).toBe(0)
    }
  }
}

/** mosquitto_sub, which says how long each message is that it hears. */
async function mosquitto(topic: string): Promise<Running> {
  const gateway = ['-h', '127.0.0.1', '-p', `${hub.mqttPort}`, '-u', 'acme', '-P', secret]
  const args = ['-V', 'mqttv5', '-d', '-F', 'heard %t %l', '-t', topic, '-t', LOST]
  const listener = new Running(['-oL', 'mosquitto_sub', ...gateway, ...args], { command: 'stdbuf' })
  onTestFinished(() => void listener.process.kill('SIGKILL'))
  await listener.says(/^Subscribed \(mid: \d+\): 0, 0$/m)
  return listener
}

const timesIn = (text: string, what: RegExp) => [...text.matchAll(what)].length

test.each([
  ['strict', 'is dropped'],
  ['lenient', 'loses the oldest, and is told'],
] as const)('in a room that is %s it %s', { timeout: 120_000 }, async (room, _) => {
  const topic = `acme/${room}/a`
  const readers = await Promise.all(Array.from({ length: READERS }, () => Reader.open(topic)))
  const stuck = await mosquitto(topic)
  const client = await MqttClient.connected(hub.mqttPort, { version: 5, ...login() })
  const sender = new Sender(client, topic)
  const goes = (count: number) =>
    Promise.all([sender.sends(count), ...readers.map((reader) => reader.hears(count))])
  const hears = (number: number) => `heard ${topic} ${PAYLOAD_BYTES + number}\n`
  await goes(MESSAGES.before)
  const before = readers.flatMap(({ took }) => took.splice(0))
  await stuck.says(hears(MESSAGES.before))
  stuck.process.kill('SIGSTOP')
  await goes(MESSAGES.during)
  const during = readers.flatMap(({ took }) => took)
  stuck.process.kill('SIGCONT')
  const all = Array.from({ length: MESSAGES.before + MESSAGES.during }, (_, i) => i + 1)
  for (const { heard } of readers) expect(heard).toEqual(all)
  if (room === 'strict') {
    // It is told so, or, after a second in which it has read nothing, is back by itself.
    await stuck.says(/[Rr]eceived DISCONNECT \(151\)|sending CONNECT[\s\S]*sending CONNECT/)
  } else {
    await stuck.says(`heard ${LOST} `)
    await goes(1)
    await stuck.says(hears(all.length + 1))
    expect(timesIn(stuck.stdout, /sending CONNECT/g)).toBe(1)
  }
  expect(timesIn(stuck.stdout, new RegExp(`^heard ${topic} `, 'gm'))).toBeLessThan(all.length)
  report(`MQTT, 1 of ${READERS + 1} reads nothing, ${room}`, {
    'p50 before ms': percentile(before, 50),
    'p99 before': percentile(before, 99),
    'p50 during ms': percentile(during, 50),
    'p99 during': percentile(during, 99),
  })
})
