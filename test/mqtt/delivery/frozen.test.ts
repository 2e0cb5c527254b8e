/** Over a real gateway: who reads nothing from his socket costs nobody else anything (L2). */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { TestGateway } from '../../support/gateway.ts'
import { MqttClient, resetMqttClients } from '../../support/mqtt-client.ts'

const TOPIC = 'acme/boiler/a'
/** More than what the kernel takes for a socket that nobody reads, and the outbox besides. */
const MESSAGES = 400
const PAYLOAD = Buffer.alloc(60_000, '.')

let gateway: TestGateway
let login: { username: string; password: string }

beforeAll(async () => {
  gateway = await TestGateway.start({ outbox: { bytes: 1_000_000 } })
  await gateway.room('acme/boiler')
  login = { username: 'acme', password: await gateway.token('acme', ['boiler']) }
})
afterAll(() => gateway.stop())
afterEach(() => resetMqttClients())

async function client(): Promise<MqttClient> {
  return MqttClient.connected(gateway.mqttPort, { version: 5, ...login })
}

/** One that has subscribed and reads no more. */
async function frozen(qos: 0 | 1 | 2): Promise<{ socket: Socket; client: MqttClient }> {
  const socket = connect({ port: gateway.mqttPort, host: '127.0.0.1' })
  await once(socket, 'connect')
  const one = new MqttClient(socket, { version: 5 })
  await one.connect(login)
  await one.subscribe(TOPIC, qos)
  socket.pause()
  return { socket, client: one }
}

test.each([0, 1, 2] as const)(
  'at QoS %i',
  async (qos) => {
    const stuck = await frozen(qos)
    const reader = await client()
    await reader.subscribe(TOPIC, 1)
    const sender = await client()
    for (let i = 0; i < MESSAGES; i++) {
      await sender.publish(TOPIC, PAYLOAD, { qos: 1 })
      const { payload } = await reader.message()
      expect(payload).toHaveLength(PAYLOAD.length)
    }
    stuck.socket.resume()
    const heard = (await stuck.client.rest()).filter(({ cmd }) => cmd === 'publish')
    // At QoS 1 and 2 its window was full before its socket was, and what waited was too much.
    expect(heard.length).toBeLessThanOrEqual(qos === 0 ? MESSAGES - 1 : 32)
  },
  60_000,
)
