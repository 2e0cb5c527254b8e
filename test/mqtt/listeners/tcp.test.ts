/** Plain TCP: who is let in, and who is not waited for (threats H16, M15). */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { ListenError } from '../../../gateway/ingress/listen.ts'
import type { TestSettings } from '../../support/gateway.ts'
import { Door } from './door.ts'

const doors: Door[] = []
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(doors.splice(0).map((door) => door.close()))
})

async function opened(settings?: TestSettings): Promise<Door> {
  const door = await Door.open(settings)
  doors.push(door)
  return door
}

async function come(port: number, from = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from })
  sockets.push(socket)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

async function echoed(socket: Socket, text: string): Promise<string> {
  socket.write(text)
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  return bytes.toString()
}

/** Resolves when the gateway has ended a connection. */
function ended(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.resume().once('close', resolve))
}

test('bytes come and go', async () => {
  const door = await opened()
  expect(await echoed(await come(door.port), 'hello')).toBe('hello')
  const [guest] = door.guests
  expect(guest?.transport).toBe('tcp')
  expect(guest?.handshake).toEqual({ remote: '127.0.0.1', headers: {} })
})

describe('bounds', () => {
  test('one address takes only so many, and another still comes in', async () => {
    const door = await opened({ connections: { perAddress: 2 } })
    const { port } = door
    const [first, second] = [await come(port), await come(port)]
    await Promise.all([echoed(first, 'a'), echoed(second, 'b')])
    await ended(await come(port))
    expect(await echoed(await come(port, '127.0.0.2'), 'other')).toBe('other')
    expect(await echoed(first, 'still here')).toBe('still here')
    const freed = once(door.guests[0]!.stream, 'close')
    first.destroy()
    await freed
    expect(await echoed(await come(port), 'in its place')).toBe('in its place')
  })

  test('all of them take only so many, those of HTTP counted', async () => {
    const door = await opened({ connections: { max: 2 } })
    const web = await come(door.webPort)
    web.write('GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n')
    await once(web, 'data')
    expect(await echoed(await come(door.port), 'a')).toBe('a')
    await ended(await come(door.port))
  })

  test('who says nothing is not waited for, who has begun is', async () => {
    const { port } = await opened({ mqtt: { connectTimeoutMs: 50 } })
    const talker = await come(port)
    await echoed(talker, 'hello')
    await ended(await come(port))
    expect(await echoed(talker, 'still here')).toBe('still here')
  })

  test('a reset before a byte, and in the midst, is no matter', async () => {
    const door = await opened()
    ;(await come(door.port)).resetAndDestroy()
    const talker = await come(door.port)
    await echoed(talker, 'hello')
    talker.resetAndDestroy()
    expect(await echoed(await come(door.port), 'next')).toBe('next')
  })
})

describe('the end', () => {
  test('nobody new comes in, who is there stays until it closes', async () => {
    const door = await opened()
    const [talker, silent] = [await come(door.port), await come(door.port)]
    await echoed(talker, 'hello')
    await echoed(await come(door.port), 'the silent one is in')
    door.mqtt.stopListening()
    const late = connect(door.port, '127.0.0.1')
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNREFUSED')
    expect(await echoed(talker, 'still here')).toBe('still here')
    const both = Promise.all([ended(talker), ended(silent)])
    await door.close()
    await both
    doors.pop()
  })

  test('an address that is taken is told with its setting', async () => {
    const { port } = await opened()
    const again = Door.open({ mqtt: { listen: `127.0.0.1:${port}` } })
    await expect(again).rejects.toThrow(ListenError)
    await expect(again).rejects.toMatchObject({
      code: 'EADDRINUSE',
      endpoint: `127.0.0.1:${port}`,
      setting: 'mqtt.listen',
    })
  })

  test('off is off', async () => {
    const door = await opened({ mqtt: { listen: 'off', websocket: false } })
    expect(door.mqtt).toMatchObject({ tcp: undefined, tls: undefined, upgrade: undefined })
  })
})
