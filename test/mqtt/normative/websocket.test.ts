/** MQTT over WebSocket. */
import { once } from 'node:events'
import { expect } from 'vitest'
import { createWebSocketStream, WebSocket } from 'ws'
import { MqttClient } from '../../support/mqtt-client.ts'
import { prover, type Site } from './prover.ts'

const proves = prover()

proves(
  'the subprotocol mqtt is selected, and packets and frames need not begin and end together',
  { v311: '6.0.0-2 6.0.0-3 6.0.0-4', v5: '6.0.0-2 6.0.0-3 6.0.0-4' },
  async (at) => {
    const socket = await opened(at)
    expect(socket.protocol).toBe('mqtt')
    const client = new MqttClient(createWebSocketStream(socket), { version: at.version })
    for (const byte of at.connectBytes()) client.write(Buffer.from([byte]))
    await client.next('connack')
    const ping = at.bytes({ cmd: 'pingreq' })
    client.write(Buffer.concat([ping, ping, ping.subarray(0, 1)]))
    client.write(ping.subarray(1))
    for (let i = 0; i < 3; i++) expect((await client.next()).cmd).toBe('pingresp')
  },
)

proves(
  'a listener over TCP hears what is published over WebSocket',
  { v311: '6.0.0-1', v5: '6.0.0-1' },
  async (at) => {
    const listener = await at.client()
    await listener.subscribe(at.topic)
    const socket = await opened(at)
    const stream = createWebSocketStream(socket)
    const client = new MqttClient(stream, { version: at.version })
    client.write(at.connectBytes())
    await client.next('connack')
    socket.once('message', (_data, isBinary) => expect(isBinary).toBe(true))
    expect(await client.publish(at.topic, 'x', { qos: 1 })).toBe(0)
    expect((await listener.message()).payload.toString()).toBe('x')
  },
)

proves('a text frame closes the connection', { v311: '6.0.0-1', v5: '6.0.0-1' }, async (at) => {
  for (const first of [true, false]) {
    const socket = await opened(at)
    if (!first) {
      socket.send(at.connectBytes())
      await once(socket, 'message')
    }
    socket.send(at.bytes({ cmd: 'pingreq' }).toString('latin1'), { binary: false })
    const [code] = await once(socket, 'close')
    if (!at.target.lenient) expect(code).toBe(1003)
  }
})

async function opened(at: Site): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${at.target.httpPort}/mqtt`, ['mqtt'])
  await once(socket, 'open')
  return socket
}
