/** Who comes by MQTT with a token: devices that go, are cut off with a will, or sleep. */
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import { ACCOUNT } from './house.ts'
import { happens, type Scene } from './scene.ts'

const CELLS = 16

/** How a session outlives its connection, by the client's version. */
const kept: readonly IClientOptions[] = [
  { clean: false },
  { protocolVersion: 5, clean: false, properties: { sessionExpiryInterval: 60 } },
]

/** `heard` is told of all messages, also of those that come with the answer to CONNECT. */
async function open(
  { house, token }: Scene,
  options: IClientOptions,
  heard: () => void = () => {},
): Promise<MqttClient> {
  const access = { username: ACCOUNT, password: token, reconnectPeriod: 0 }
  const client = connect(house.mqttUrl, { ...access, ...options })
  await new Promise((resolve, reject) => {
    client.on('message', heard).once('connect', resolve).once('error', reject)
    client.once('close', () => reject(new Error('a device was not let in')))
  })
  return client.on('error', () => {})
}

export async function report(scene: Scene, n: number): Promise<void> {
  const protocolVersion = n % 2 === 0 ? 4 : 5
  const will = {
    topic: `${ACCOUNT}/hall/lost`,
    payload: Buffer.from(`device ${n}`),
    qos: 1 as const,
  }
  const client = await open(scene, { protocolVersion, clientId: `d-${scene.round}-${n}`, will })
  try {
    await client.subscribeAsync([`${ACCOUNT}/hall/#`, `${ACCOUNT}/board/#`], { qos: 1 })
    for (const qos of [0, 1, 2] as const) {
      await client.publishAsync(`${ACCOUNT}/hall/readings`, `${n} at ${qos}`, { qos })
    }
    const cell = `${ACCOUNT}/board/cells/${n % CELLS}`
    await client.publishAsync(cell, JSON.stringify({ n }), { qos: 1, retain: true })
    await client.publishAsync(`${ACCOUNT}/ledger`, `reading ${n}`, { qos: 1 })
    await client.unsubscribeAsync(`${ACCOUNT}/board/#`)
    scene.tally('devices')
  } finally {
    // Every third is cut off, and its will is said.
    if (n % 3 === 0) client.stream.destroy()
    else await client.endAsync()
  }
}

/** Goes without its session, gets what came meanwhile when it is back, and ends the session. */
export async function sleep(scene: Scene, n: number): Promise<void> {
  const clientId = `s-${scene.round}-${n}`
  const options = { clientId, ...kept[n % 2] }
  const first = await open(scene, options)
  await first.subscribeAsync(`${ACCOUNT}/hall/calls/${n}`, { qos: 1 })
  if (n % 3 === 0) first.stream.destroy()
  else await first.endAsync()
  const caller = await open(scene, { clientId: `c-${scene.round}-${n}` })
  await caller.publishAsync(`${ACCOUNT}/hall/calls/${n}`, 'wake up', { qos: 1 })
  await caller.endAsync()
  let again: MqttClient | undefined
  await happens<void>('the call to a sleeper', async (heard) => {
    again = await open(scene, options, heard)
  })
  await again?.endAsync()
  scene.tally('sleepers')
  await (await open(scene, { clientId, clean: true })).endAsync()
}
