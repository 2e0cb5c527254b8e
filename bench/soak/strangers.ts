/** Who has no business here: wrong secrets, half requests, bytes that are no protocol. */
import { once } from 'node:events'
import { connect as dial } from 'node:net'
import { connect } from '@porthouse/client'
import { connectAsync } from 'mqtt'
import { WebSocket } from 'ws'
import { ACCOUNT } from './house.ts'
import type { Scene } from './scene.ts'

const NOISE = Buffer.from('\u0010\u00ff\u00ffno protocol of this house\r\n\r\n', 'latin1')

/** One after the other: so many wrong secrets a minute would bar the whole network. */
export async function intrude(scene: Scene): Promise<void> {
  const { house } = scene
  const wrong = `${house.token.slice(0, -4)}zzzz`
  await refused(connect(house.url, { token: wrong }))
  const access = { username: ACCOUNT, password: wrong, reconnectPeriod: 0 }
  await refused(connectAsync(house.mqttUrl, access))
  await raw(house.gateway.port, NOISE)
  await raw(Number(new URL(house.mqttUrl).port), NOISE)
  await cut(house.gateway.port, Buffer.from('POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-'))
  const silent = new WebSocket(`${house.url}/v1/ws`, 'porthouse.v1')
  await once(silent, 'open')
  silent.send(NOISE)
  await once(silent, 'close')
  scene.tally('strangers')
}

async function refused(entering: Promise<unknown>): Promise<void> {
  const error = await entering.then(
    () => undefined,
    (error: Error) => error,
  )
  if (!error) throw new Error('a stranger was let in')
}

/** Resolves when the gateway has ended it. */
async function raw(port: number, bytes: Buffer): Promise<void> {
  const socket = dial(port, '127.0.0.1').on('error', () => {})
  socket.end(bytes)
  socket.resume()
  await once(socket, 'close')
}

async function cut(port: number, bytes: Buffer): Promise<void> {
  const socket = dial(port, '127.0.0.1').on('error', () => {})
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()))
  socket.resetAndDestroy()
  await once(socket, 'close')
}
