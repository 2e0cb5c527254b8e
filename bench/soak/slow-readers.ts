/**
 * Who stops to read: by WebSocket in a room that drops such readers, and in one that tells them
 * what they lost; by MQTT on a bare socket.
 */
import { connect, type Socket } from 'node:net'
import { generate, type Packet, parser } from 'mqtt-packet'
import { ACCOUNT } from './house.ts'
import { Line } from './line.ts'
import { happens, type Scene } from './scene.ts'

const MESSAGE = Buffer.alloc(64 * 1024, 'slow')
/** More than the kernel's buffers and an outbox take together. */
const MESSAGES = 160
/** Of which so many may be unanswered. */
const ON_THE_WAY = 8

export async function stopReading(scene: Scene): Promise<void> {
  const { house, token } = scene
  const rooms = ['strict', 'patient'] as const
  const lines = await Promise.all(
    rooms.map((room) => Line.open(`${house.url}/${ACCOUNT}/${room}`, { token, reconnect: false })),
  )
  const device = await Device.open(scene)
  const fates = lines.map(fateOf)
  try {
    for (const line of lines) line.pause()
    device.socket.pause()
    await Promise.all(rooms.map((room) => flood(scene, room)))
    for (const line of lines) line.resume()
    device.socket.resume()
    for (const fate of await Promise.all(fates)) {
      scene.tally(`slow readers ${fate}`)
    }
  } finally {
    device.socket.destroy()
    await Promise.all(lines.map(({ client }) => client.close()))
  }
}

/** What becomes of one who does not read. */
function fateOf({ client }: Line): Promise<string> {
  return happens('the fate of a slow reader', (resolve) => {
    client.on('lost', () => resolve('told what they lost'))
    // Why, it may have no time to read.
    client.on('closed', () => resolve('dropped'))
  })
}

async function flood({ house, token }: Scene, room: string): Promise<void> {
  const { client } = await Line.open(house.url, { token, reconnect: false })
  try {
    const joined = await client.join(`${ACCOUNT}/${room}`, { sendOnly: true })
    for (let sent = 0; sent < MESSAGES; sent += ON_THE_WAY) {
      await Promise.all(Array.from({ length: ON_THE_WAY }, () => joined.send(MESSAGE)))
    }
  } finally {
    await client.close()
  }
}

/** Subscribed to the strict room. */
class Device {
  readonly socket: Socket

  private constructor(socket: Socket) {
    this.socket = socket
  }

  static async open({ house, token, round }: Scene): Promise<Device> {
    const socket = connect(Number(new URL(house.mqttUrl).port), '127.0.0.1')
    socket.on('error', () => {})
    const read = parser()
    const subscribed = new Promise<void>((resolve, reject) => {
      socket.once('close', () => reject(new Error('a slow device was not let in')))
      read.on('packet', (packet: Packet) => {
        if (packet.cmd === 'connack') {
          const subscriptions = [{ topic: `${ACCOUNT}/strict`, qos: 0 as const }]
          socket.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions }))
        }
        if (packet.cmd === 'suback') resolve()
      })
    })
    socket.on('data', (chunk) => read.parse(chunk))
    const access = { username: ACCOUNT, password: Buffer.from(token), clean: true, keepalive: 60 }
    socket.write(generate({ cmd: 'connect', clientId: `slow-${round}`, ...access }))
    await subscribed
    return new Device(socket)
  }
}
