/**
 * MQTT clients as people have them talk with each other and with a page, in a room of devices that
 * one command has made (R21, R54).
 */
import { writeFileSync } from 'node:fs'
import { connectAsync, type MqttClient } from 'mqtt'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Running } from '../cli/process.ts'
import {
  BUILD_MS,
  buildClients,
  type ClientOptions,
  ForeignClient,
  type Language,
} from '../mqtt/clients/clients.ts'
import { SshKeygen } from '../support/ssh-keygen.ts'
import { Hub } from './hub.ts'
import { Page } from './page.ts'

const FILTER = 'acme/hall/#'

let hub: Hub
let page: Page
let secret: string
let commands: Awaited<ReturnType<typeof buildClients>>
const guests: Guest[] = []

beforeAll(async () => {
  ;[hub, commands] = await Promise.all([Hub.start(), buildClients()])
  await hub.json(['account', 'create', 'acme'])
  await hub.json(['room', 'create', 'acme/hall', '--devices'])
  const right = ['--room', 'hall:send,receive']
  secret = (await hub.json<{ secret: string }>(['token', 'create', 'acme', ...right])).secret
  page = await Page.open(hub.url, 'acme/hall', secret)
}, BUILD_MS)
afterEach(async () => {
  await Promise.all(guests.splice(0).map((guest) => guest.leave()))
})
afterAll(async () => {
  await page?.close()
  expect(await hub.stop()).toMatchObject({ code: 0, stderr: '' })
})

/** Whoever hears all of the room, and says something on a channel. */
interface Guest {
  readonly name: string
  say(topic: string, text: string): Promise<unknown>
  hears(topic: string, text: string): Promise<unknown>
  leave(): Promise<unknown>
}

type Qos = 0 | 1 | 2
type Version = 4 | 5

const login = () => ({ user: 'acme', password: secret })

async function byPaho(language: Language, version: Version, qos: Qos): Promise<Guest> {
  const options: ClientOptions = { port: hub.mqttPort, version, qos, filter: FILTER, ...login() }
  const client = await ForeignClient.start(commands[language], options)
  expect(client.granted).toBe(qos)
  return {
    name: `paho-${language.toLowerCase()}-${version}`,
    say: async (topic, text) => expect(await client.publish(topic, text)).toBe(0),
    hears: (topic, text) => client.hears(topic, text, qos),
    leave: () => client.stop(),
  }
}

async function byMosquitto(version: Version, qos: Qos): Promise<Guest> {
  const { user, password } = login()
  const gateway = ['-h', '127.0.0.1', '-p', String(hub.mqttPort), '-u', user, '-P', password]
  const options = [...gateway, '-V', version === 5 ? 'mqttv5' : 'mqttv311', '-q', String(qos)]
  // Else what it says would wait in its buffer.
  const unbuffered = ['-oL', 'mosquitto_sub', ...options]
  const listener = new Running([...unbuffered, '-t', FILTER, '-d', '-F', 'heard %q %t %p'], {
    command: 'stdbuf',
  })
  await listener.says(/^Subscribed \(mid: \d+\): \d$/m)
  return {
    name: `mosquitto-${version}`,
    async say(topic, text) {
      const publisher = new Running([...options, '-t', topic, '-m', text], {
        command: 'mosquitto_pub',
      })
      expect(await publisher.ended).toMatchObject({ code: 0, stderr: '' })
    },
    hears: (topic, text) => listener.says(`heard ${qos} ${topic} ${text}\n`),
    leave: () => listener.stop('SIGINT'),
  }
}

async function byMqttJs(url: string, version: Version, qos: Qos): Promise<Guest> {
  const { user: username, password } = login()
  const options = { protocolVersion: version, username, password, reconnectPeriod: 0 }
  const client = await connectAsync(url, options)
  const heard = collecting(client)
  await client.subscribeAsync(FILTER, { qos })
  return {
    name: `mqtt-js-${new URL(url).protocol.slice(0, -1)}-${version}`,
    say: (topic, text) => client.publishAsync(topic, text, { qos }),
    hears: (topic, text) => heard.next(`${qos} ${topic} ${text}`),
    leave: () => client.endAsync(),
  }
}

function collecting(client: MqttClient) {
  const heard = new Set<string>()
  let wake = Promise.withResolvers<void>()
  client.on('message', (topic, payload, { qos }) => {
    heard.add(`${qos} ${topic} ${payload}`)
    wake.resolve()
    wake = Promise.withResolvers()
  })
  return {
    async next(said: string) {
      while (!heard.has(said)) await wake.promise
    },
  }
}

async function everybody(qos: Qos): Promise<Guest[]> {
  const versions = [4, 5] as const
  const languages: Language[] = ['C', 'Go', 'Python']
  const coming = versions.flatMap((version) => [
    ...languages.map((language) => byPaho(language, version, qos)),
    byMosquitto(version, qos),
    byMqttJs(`mqtt://127.0.0.1:${hub.mqttPort}`, version, qos),
    byMqttJs(`${hub.url}/mqtt`, version, qos),
  ])
  const here = await Promise.all(coming)
  guests.push(...here)
  return here
}

describe.each([0, 1, 2] as const)('with QoS %i', (qos) => {
  test('everybody hears everybody, the page and itself', { timeout: 60_000 }, async () => {
    const all = await everybody(qos)
    for (const speaker of all) {
      const topic = `acme/hall/${speaker.name}`
      const text = `at ${qos} from ${speaker.name}`
      await Promise.all([
        ...all.map((listener) => listener.hears(topic, text)),
        page.hears(`${speaker.name}: ${text}`),
        speaker.say(topic, text),
      ])
    }
  })
})

test('what the page says comes with the QoS that each has subscribed', async () => {
  const both = [await byMosquitto(4, 2), await byMqttJs(`${hub.url}/mqtt`, 5, 1)]
  guests.push(...both)
  await page.say('page', 'good morning')
  await Promise.all(both.map((guest) => guest.hears('acme/hall/page', 'good morning')))
})

test('a device by token and one by SSH key have the same bytes', async () => {
  using keys = new SshKeygen()
  const { file } = keys.make('ed25519')
  const right = ['--room', 'hall:send,receive']
  await hub.json(['client', 'create', 'acme/valve', '--ssh-key', `${file}.pub`, ...right])
  const valve = hub.begin(
    ['listen', 'acme/hall/pump', '--json', '--count', '1', '--as', 'valve', '--ssh-key', file],
    { env: { PORTHOUSE_URL: hub.url } },
  )
  await valve.says('listening', 'stderr')
  const bytes = Buffer.from([0, 0xff, 0xfe, 0x80, 0x0a])
  writeFileSync(hub.file('raw'), bytes)
  const place = ['-h', '127.0.0.1', '-p', String(hub.mqttPort), '-t', 'acme/hall/pump']
  const args = [...place, '-u', 'acme', '-P', secret, '-q', '1', '-f', hub.file('raw')]
  const { ended } = new Running(args, { command: 'mosquitto_pub' })
  expect(await ended).toMatchObject({ code: 0 })
  const { code, stdout } = await valve.ended
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ payload: bytes.toString('base64') })
})
