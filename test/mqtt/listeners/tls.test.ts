/** TLS: what is spoken, what is refused, and a certificate that changes (threat H13). */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type CertificateFiles, certificate } from '../../support/certificate.ts'
import { Door } from './door.ts'

const folder = mkdtempSync(join(tmpdir(), 'porthouse-tls-'))
const sockets: TLSSocket[] = []
let files: CertificateFiles
let door: Door
let port: number

beforeAll(async () => {
  files = certificate(folder)
  const tls = { listen: '127.0.0.1:0', ...files }
  door = await Door.open({ mqtt: { listen: 'off', connectTimeoutMs: 500, tls } })
  port = door.mqtt.tls?.port as number
})
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})
afterAll(async () => {
  await door.close()
  rmSync(folder, { recursive: true })
})

/** Rejects with the error of the handshake. */
async function secured(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  sockets.push(socket)
  await once(socket, 'secureConnect')
  return socket
}

async function echoed(socket: TLSSocket, text: string): Promise<string> {
  socket.write(text)
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  return bytes.toString()
}

function ended(socket: TLSSocket | ReturnType<typeof connectTcp>): Promise<unknown> {
  socket.on('error', () => undefined)
  return new Promise((resolve) => socket.resume().once('close', resolve))
}

test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s is spoken', async (version) => {
  const socket = await secured({ minVersion: version, maxVersion: version })
  expect(socket.getProtocol()).toBe(version)
  expect(await echoed(socket, 'hello')).toBe('hello')
  expect(door.guests.at(-1)).toMatchObject({
    transport: 'tls',
    handshake: { remote: '127.0.0.1', headers: {} },
  })
})

describe('refused', () => {
  test.each(['TLSv1', 'TLSv1.1'] as const)('%s', async (version) => {
    const ciphers = 'DEFAULT@SECLEVEL=0'
    const old = secured({ minVersion: version, maxVersion: version, ciphers })
    await expect(old).rejects.toThrow(/alert protocol version/i)
  })

  test('a renegotiation', async () => {
    const socket = await secured({ maxVersion: 'TLSv1.2' })
    await echoed(socket, 'hello')
    const over = ended(socket)
    expect(socket.renegotiate({ rejectUnauthorized: false }, () => undefined)).toBe(true)
    socket.write('more')
    await over
  })

  test.each([
    ['HTTP', 'GET / HTTP/1.1\r\nHost: here\r\n\r\n'],
    ['plain MQTT', Buffer.from('101000044d5154540402003c000464657631', 'hex')],
    ['nothing at all', ''],
  ])('%s where TLS is spoken', async (_name, bytes) => {
    const socket = connectTcp(port, '127.0.0.1')
    socket.write(bytes)
    await ended(socket)
    expect(await echoed(await secured(), 'others')).toBe('others')
  })

  test('who is silent behind the handshake', async () => {
    await ended(await secured())
  })
})

test.each(['', 'nobody.example', 'a'.repeat(255)])(
  'the server name %j is no matter',
  async (name) => {
    expect(await echoed(await secured({ servername: name }), 'hello')).toBe('hello')
  },
)

test('a certificate that has changed holds from the next connection on', async () => {
  const before = await secured()
  await echoed(before, 'hello')
  certificate(folder, 'renewed.example')
  door.mqtt.reload()
  const after = await secured()
  expect(after.getPeerCertificate().subject.CN).toBe('renewed.example')
  expect(await echoed(before, 'still here')).toBe('still here')
  writeFileSync(files.keyFile, 'not a key')
  expect(() => door.mqtt.reload()).toThrow()
  expect((await secured()).getPeerCertificate().subject.CN).toBe('renewed.example')
})

test('a certificate that is no good or not there is told at the start', async () => {
  const bad = join(folder, 'bad.pem')
  writeFileSync(bad, 'not a certificate')
  const opening = (certFile: string) =>
    Door.open({ mqtt: { tls: { listen: '127.0.0.1:0', certFile, keyFile: bad } } })
  await expect(opening(bad)).rejects.toThrow()
  await expect(opening(join(folder, 'none.pem'))).rejects.toThrow('none.pem')
})
