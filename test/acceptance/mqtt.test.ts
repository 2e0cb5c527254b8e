/**
 * MQTT as its user has it, from `porthouse run` on: devices that come with nothing and are asked, a
 * page, and a gateway that goes down in order (R4, R13, R54, R55).
 */
import { randomBytes } from 'node:crypto'
import { connect, type IClientOptions, type MqttClient as MqttJs } from 'mqtt'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Running } from '../cli/process.ts'
import { MqttClient, resetMqttClients } from '../support/mqtt-client.ts'
import { Hub } from './hub.ts'
import { Page } from './page.ts'

const RESPONSE = randomBytes(16).toString('hex')
const LOCK = '$porthouse/v1/json/lock'
const METHOD = 'porthouse.v1.json'

interface LockFrame {
  readonly lockStep?: {
    readonly lock: string
    readonly challenge?: {
      readonly acceptor: string
      readonly place: string
      readonly depth?: number
    }
    readonly verdict?: { readonly outcome: string }
  }
}

let hub: Hub
/** Of a token for all rooms. */
let secret: string
/** Of one that acts as the client `acme/pump`. */
let pumps: string
/** UUID of that. */
let pump: string

beforeAll(async () => {
  hub = await Hub.start()
  await hub.json(['account', 'create', 'acme'])
  const made = {
    vault: ['--lock', 'identity'],
    boiler: ['--lock', 'preset'],
    hall: [],
    ledger: ['--history', 'durable'],
  }
  await Promise.all(
    Object.entries(made).map(([room, how]) => hub.json(['room', 'create', `acme/${room}`, ...how])),
  )
  const rooms = ['--room', 'vault:send,receive', '--room', 'boiler:send,receive']
  const preset = ['client', 'create', 'acme/pump', '--preset', '-', ...rooms]
  pump = (await hub.json<{ id: string }>(preset, { input: `who is there?:${RESPONSE}` })).id
  const token = (...args: string[]) =>
    hub.json<{ secret: string }>(['token', 'create', 'acme', ...args])
  const all = Object.keys(made).flatMap((room) => ['--room', `${room}:send,receive`])
  secret = (await token(...all)).secret
  pumps = (await token('--client', 'pump', ...rooms)).secret
})
afterEach(resetMqttClients)
afterAll(async () => {
  expect(await hub.stop()).toMatchObject({ code: 0, stderr: '' })
})

const frames = (...all: object[]) => Buffer.from(JSON.stringify({ frames: all }))
const read = (bytes: Buffer | undefined) =>
  (JSON.parse(`${bytes ?? '{"frames":[]}'}`) as { frames: LockFrame[] }).frames

/** By MQTT.js, which is to be set up before anything comes. */
function begin(options: IClientOptions, prepare: (client: MqttJs) => void = () => {}): MqttJs {
  const client = connect(`mqtt://127.0.0.1:${hub.mqttPort}`, { reconnectPeriod: 0, ...options })
  onTestFinished(() => void client.end(true))
  prepare(client)
  return client
}

function connected(client: MqttJs): Promise<unknown> {
  return new Promise((resolve, reject) => {
    client.once('connect', resolve)
    client.once('error', reject)
  })
}

/** Answers what it is asked, by this acceptor, and notes the steps in few words. */
function answering(client: MqttJs, acceptor: string, text: string): string[] {
  const steps: string[] = []
  client.on('message', (topic, payload) => {
    if (topic !== LOCK) return
    for (const { lockStep } of read(payload)) {
      const { lock, challenge, verdict } = lockStep ?? {}
      if (verdict) steps.push(verdict.outcome)
      if (challenge) steps.push(`${challenge.acceptor} ${challenge.place} ${challenge.depth ?? 1}`)
      // As long as it has tries left.
      if (!challenge && verdict?.outcome !== 'OUTCOME_FAILED') continue
      const answer = { acceptor, text }
      client.publish(LOCK, frames({ id: steps.length, lockStep: { lock, answer } }), { qos: 1 })
    }
  })
  return steps
}

/** By default with the token for all rooms. */
async function mosquittoHears(filter: string, user = 'acme', password = secret): Promise<Running> {
  const login = ['-u', user, '-P', password]
  const args = ['-oL', 'mosquitto_sub', '-p', `${hub.mqttPort}`, ...login, '-t', filter, '-d']
  const running = new Running([...args, '-F', 'heard %t %p'], { command: 'stdbuf' })
  onTestFinished(() => void running.process.kill('SIGKILL'))
  await running.says(/^Subscribed \(mid: \d+\): \d$/m)
  return running
}

function mosquittoSays(...args: string[]) {
  const gateway = ['-h', '127.0.0.1', '-p', `${hub.mqttPort}`]
  return new Running([...gateway, ...args], { command: 'mosquitto_pub' }).ended
}

describe('a device without credentials', () => {
  test('meets a nested lock over topics, by 3.1.1', async () => {
    const heard = await mosquittoHears('acme/vault/#', 'acme', pumps)
    const device = begin({ protocolVersion: 4 })
    const steps = answering(device, 'token', pumps)
    await connected(device)
    // Nothing else is there for it.
    await expect(device.subscribeAsync('$porthouse/v1/json/room')).rejects.toThrow()
    await device.subscribeAsync(LOCK, { qos: 1 })
    // It is granted when the locks are open.
    const [granted] = await device.subscribeAsync('acme/vault/#', { qos: 1 })
    expect(granted?.qos).toBe(1)
    expect(steps[0]).toMatch(/^(ssh-key|token|key) room:acme\/vault 2$/)
    expect(steps.slice(-2)).toEqual(['OUTCOME_PASSED', 'OUTCOME_PASSED'])
    await device.publishAsync('acme/vault/door', 'open', { qos: 1 })
    await heard.says('heard acme/vault/door open\n')
  })

  test('meets it over AUTH, by MQTT 5', async () => {
    const heard = await mosquittoHears('acme/vault/#', 'acme', pumps)
    const asked: string[] = []
    const device = begin(
      {
        protocolVersion: 5,
        username: `acme/vault/${pump}`,
        properties: { authenticationMethod: METHOD },
      },
      (client) => {
        client.handleAuth = ({ properties }, respond) => {
          const challenges = read(properties?.authenticationData).flatMap(({ lockStep }) =>
            lockStep?.challenge ? { ...lockStep.challenge, ...lockStep } : [],
          )
          asked.push(...challenges.map(({ acceptor, depth = 1 }) => `${acceptor} ${depth}`))
          const answers = challenges.map(({ lock }, i) => ({
            id: i + 1,
            lockStep: { lock, answer: { acceptor: 'token', text: pumps } },
          }))
          const authenticationData = frames(...answers)
          const more = { authenticationMethod: METHOD, authenticationData }
          respond(undefined, { cmd: 'auth', reasonCode: 0x18, properties: more })
        }
      },
    )
    await connected(device)
    expect(asked).toEqual([expect.stringMatching(/^(ssh-key|token|key) 2$/)])
    await device.publishAsync('acme/vault/door', 'shut', { qos: 2 })
    await heard.says('heard acme/vault/door shut\n')
  })

  test('is not let in with what is wrong, and hears nothing meanwhile', async () => {
    const device = begin({ protocolVersion: 4 })
    const steps = answering(device, 'token', 'pht_wrong')
    const closed = new Promise<void>((resolve) => device.once('close', () => resolve()))
    const heard: string[] = []
    device.on('message', (topic) => topic !== LOCK && heard.push(topic))
    await connected(device)
    await device.subscribeAsync(LOCK, { qos: 1 })
    device.subscribe('acme/vault/#', () => {})
    const login = ['-u', 'acme', '-P', pumps, '-q', '1']
    await mosquittoSays(...login, '-t', 'acme/vault/door', '-m', 'secret')
    await closed
    expect(steps).toContain('OUTCOME_FAILED')
    expect(steps).not.toContain('OUTCOME_PASSED')
    expect(heard).toEqual([])
  })
})

describe('the path of a device (R4)', () => {
  const path = () => `acme/boiler/${pump}`

  test('as user name, with its response as password', async () => {
    const heard = await mosquittoHears('acme/boiler/#', path(), RESPONSE)
    const said = ['-t', 'acme/boiler/temp', '-q', '1', '-m']
    for (const version of ['mqttv311', 'mqttv5']) {
      const login = ['-V', version, '-u', path(), '-P', RESPONSE]
      expect(await mosquittoSays(...login, ...said, version)).toMatchObject({ code: 0 })
      await heard.says(`heard acme/boiler/temp ${version}\n`)
    }
    const wrong = ['-V', 'mqttv311', '-u', path(), '-P', 'wrong']
    const { code, stderr } = await mosquittoSays(...wrong, ...said, 'wrong')
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/not authori[sz]ed|bad user name/i)
  })

  test('as client id, and the room asks', async () => {
    const heard = await mosquittoHears('acme/boiler/#', path(), RESPONSE)
    const device = begin({ protocolVersion: 4, clientId: path() })
    const steps = answering(device, 'preset', RESPONSE)
    await connected(device)
    await device.subscribeAsync(LOCK, { qos: 1 })
    await device.subscribeAsync('acme/boiler/set', { qos: 1 })
    expect(steps).toEqual(['preset room:acme/boiler 1', 'OUTCOME_PASSED'])
    await device.publishAsync('acme/boiler/temp', '21.5', { qos: 1 })
    await heard.says('heard acme/boiler/temp 21.5\n')
  })
})

test('a page by MQTT.js, one by @porthouse/client and mosquitto are in one room', async () => {
  const open = (by: 'client' | 'mqtt') => Page.open(hub.url, 'acme/hall', secret, by)
  const [modern, plain] = await Promise.all([open('client'), open('mqtt')])
  onTestFinished(async () => void (await Promise.all([modern.close(), plain.close()])))
  const heard = await mosquittoHears('acme/hall/#')
  await plain.say('a', 'by MQTT')
  await Promise.all([modern.hears('a: by MQTT'), heard.says('heard acme/hall/a by MQTT\n')])
  await modern.say('b', 'by WebSocket')
  await Promise.all([
    plain.hears('b: by WebSocket'),
    heard.says('heard acme/hall/b by WebSocket\n'),
  ])
  const login = ['-u', 'acme', '-P', secret]
  await mosquittoSays(...login, '-t', 'acme/hall/c', '-q', '2', '-m', 'by TCP')
  await Promise.all([modern.hears('c: by TCP'), plain.hears('c: by TCP')])
})

describe('a gateway that goes down in order', () => {
  const KEPT = { clean: false, properties: { sessionExpiryInterval: 3_600 } }
  const TOPICS = ['acme/hall/kept', 'acme/ledger/kept']

  async function arrive(at: Hub, password: string, clientId: string, init: object = {}) {
    const client = await MqttClient.open(at.mqttPort, { version: 5 })
    const login = { username: 'acme', password, clientId }
    const connack = await client.connect({ ...login, ...init })
    expect(connack.reasonCode).toBe(0)
    return { client, present: connack.sessionPresent }
  }

  test('says so, and keeps what it has acknowledged for those who are away', async () => {
    const { client: away } = await arrive(hub, secret, 'away', KEPT)
    await away.subscribe(TOPICS, 1)
    await away.disconnect()
    const { client: there } = await arrive(hub, secret, 'there', KEPT)
    await there.subscribe(TOPICS, 1)
    const { client: sender } = await arrive(hub, secret, 'sender')
    for (const topic of TOPICS) {
      for (const text of ['1', '2', '3']) await sender.publish(topic, text, { qos: 1 })
    }
    // It has heard them all, and acknowledged none.
    for (let i = 0; i < 6; i++) await there.next('publish')
    const old = await MqttClient.connected(hub.mqttPort, { username: 'acme', password: secret })
    await hub.restart()
    for (const client of [there, sender]) {
      expect((await client.rest()).at(-1)).toMatchObject({ cmd: 'disconnect', reasonCode: 0x8b })
    }
    expect(await old.rest()).toEqual([])
    for (const clientId of ['away', 'there']) {
      const { client, present } = await arrive(hub, secret, clientId, KEPT)
      expect(present).toBe(true)
      const heard = new Map<string, string[]>(TOPICS.map((topic) => [topic, []]))
      const wasSent: boolean[] = []
      for (let i = 0; i < 6; i++) {
        const { topic, payload, dup } = await client.message()
        heard.get(topic)?.push(payload.toString())
        wasSent.push(dup)
      }
      expect([...heard.values()]).toEqual([
        ['1', '2', '3'],
        ['1', '2', '3'],
      ])
      expect(new Set(wasSent)).toEqual(new Set([clientId === 'there']))
      expect(await client.settled()).toEqual([])
    }
  })

  test('names another one where it knows one', async () => {
    const other = await Hub.start({ mqtt: { serverReference: 'hub2.example:1883' } })
    await other.json(['account', 'create', 'acme'])
    await other.json(['room', 'create', 'acme/hall'])
    const right = ['--room', 'hall:send']
    const token = await other.json<{ secret: string }>(['token', 'create', 'acme', ...right])
    const { client } = await arrive(other, token.secret, 'device')
    expect(await other.stop()).toMatchObject({ code: 0, stderr: '' })
    expect(await client.rest()).toMatchObject([
      { reasonCode: 0x9c, properties: { serverReference: 'hub2.example:1883' } },
    ])
  })
})
