/** The ways of MQTT into a real gateway, and what does not belong there (threats H12, H16, M15). */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createWebSocketStream, WebSocket } from 'ws'
import { certificate } from '../../support/certificate.ts'
import { TestGateway, type TestSettings } from '../../support/gateway.ts'
import { MqttClient, resetMqttClients } from '../../support/mqtt-client.ts'
import { encodeHandshake, exchange } from '../../support/raw-websocket.ts'

const CONNECT = Buffer.from('101000044d5154540402003c000464657631', 'hex')
const TOPIC = 'acme/hall'

const folder = mkdtempSync(join(tmpdir(), 'porthouse-tls-'))
const others: TestGateway[] = []
let gateway: TestGateway
let login: { readonly username: string; readonly password: string }

beforeAll(async () => {
  const tls = { listen: '127.0.0.1:0', ...certificate(folder) }
  gateway = await TestGateway.start({ mqtt: { tls } })
  await gateway.room(TOPIC)
  login = { username: 'acme', password: await gateway.token('acme', ['hall']) }
})
afterEach(async () => {
  resetMqttClients()
  await Promise.all(others.splice(0).map((other) => other.stop()))
})
afterAll(async () => {
  await gateway.stop()
  rmSync(folder, { recursive: true })
})

async function beside(settings: TestSettings): Promise<TestGateway> {
  const other = await gateway.beside(settings)
  others.push(other)
  return other
}

const ways = {
  TCP: () => MqttClient.open(gateway.mqttPort),
  async TLS() {
    const options = { port: gateway.mqttTlsPort, host: '127.0.0.1', rejectUnauthorized: false }
    const socket = connectTls(options)
    await once(socket, 'secureConnect')
    return new MqttClient(socket)
  },
  async WebSocket() {
    const socket = new WebSocket(`${gateway.url}/mqtt`, 'mqtt')
    await once(socket, 'open')
    return new MqttClient(createWebSocketStream(socket))
  },
}

describe.each(Object.entries(ways))('over %s', (_name, open) => {
  test('a device talks with others on TCP', async () => {
    const [device, other] = [await open(), await ways.TCP()]
    expect(await device.connect(login)).toMatchObject({ returnCode: 0 })
    expect(await other.connect(login)).toMatchObject({ returnCode: 0 })
    expect(await device.subscribe(TOPIC, 1)).toEqual([1])
    expect(await other.subscribe(TOPIC, 1)).toEqual([1])
    expect(await device.publish(TOPIC, 'from the device', { qos: 1 })).toBe(0)
    expect(await other.message()).toMatchObject({ topic: TOPIC, qos: 1 })
    expect(await other.publish(TOPIC, Buffer.alloc(100_000, 7), { qos: 1 })).toBe(0)
    expect(String((await device.message()).payload)).toBe('from the device')
    expect((await device.message()).payload).toEqual(Buffer.alloc(100_000, 7))
    await device.disconnect()
  })
})

describe('what does not belong there', () => {
  test.each([
    ['HTTP', 'GET / HTTP/1.1\r\nHost: here\r\n\r\n'],
    ['an upgrade', encodeHandshake({ path: '/mqtt', protocol: 'mqtt' })],
    ['TLS', Buffer.from('1603010200010001fc0303', 'hex')],
    ['the PROXY protocol', 'PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n'],
    ['nothing of MQTT', Buffer.alloc(100)],
  ])('%s on the port of MQTT is closed without a word', async (_name, bytes) => {
    expect(await exchange(gateway.mqttPort, bytes)).toBe('')
  })

  test('MQTT on the port of HTTP is a bad request', async () => {
    expect(await exchange(gateway.port, CONNECT)).toMatch(/^HTTP\/1\.1 400 /)
  })
})

describe('who takes too long for a CONNECT', () => {
  test.each([
    ['nothing', []],
    ['a byte, and another', [CONNECT.subarray(0, 1), CONNECT.subarray(1, 2)]],
    ['all but the last byte', [CONNECT.subarray(0, -1)]],
    ['256 MiB, as he says', [Buffer.from('10ffffff7f', 'hex')]],
  ])('and sends %s is closed', async (_name, pieces) => {
    const other = await beside({ mqtt: { connectTimeoutMs: 50 } })
    const socket = connect(other.mqttPort, '127.0.0.1').setNoDelay()
    socket.on('error', () => undefined)
    for (const piece of pieces) socket.write(piece)
    await new Promise((resolve) => socket.resume().once('close', resolve))
  })

  test('does not take others with him', async () => {
    const other = await beside({ mqtt: { connectTimeoutMs: 50 } })
    const device = await MqttClient.connected(other.mqttPort)
    const silent = connect(other.mqttPort, '127.0.0.1')
    await new Promise((resolve) => silent.resume().once('close', resolve))
    expect(await device.settled()).toEqual([])
  })
})

test('where the feature is off, nothing listens and /mqtt leads nowhere', async () => {
  const other = await beside({ features: ['websocket'] })
  expect(() => other.mqttPort).toThrow('MQTT is off')
  const request = encodeHandshake({ path: '/mqtt', protocol: 'mqtt' })
  expect(await exchange(other.port, request)).toMatch(/^HTTP\/1\.1 4\d\d /)
})

test('where WebSocket is off, MQTT is spoken over it all the same', async () => {
  const other = await beside({ features: ['mqtt'] })
  const socket = new WebSocket(`${other.url}/mqtt`, 'mqtt')
  await once(socket, 'open')
  expect(await new MqttClient(createWebSocketStream(socket)).connect()).toMatchObject({
    returnCode: 0,
  })
  const request = encodeHandshake({ path: '/v1/ws' })
  expect(await exchange(other.port, request)).toMatch(/^HTTP\/1\.1 404 /)
})

test('at the drain those of MQTT go too, and the port is given back', async () => {
  const other = await gateway.beside({ drainMs: 0 })
  const device = await MqttClient.connected(other.mqttPort)
  const silent = await MqttClient.open(other.mqttPort)
  const ends = [device.ended, silent.ended]
  await other.stop()
  await Promise.all(ends)
  await expect(MqttClient.open(other.mqttPort)).rejects.toThrow('ECONNREFUSED')
})
