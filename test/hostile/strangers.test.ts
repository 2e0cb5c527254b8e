/** A15, K14: a stranger learns of no name whether it is somebody's, by words or by work. */
import { randomBytes, randomUUID } from 'node:crypto'
import { type JsonObject, toJsonString } from '@bufbuild/protobuf'
import { type Frame, FrameSchema } from '@porthouse/proto/v1/frame'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { newConnectionKey } from '../../gateway/identity/connection-keys.ts'
import { newPassword } from '../../gateway/identity/passwords.ts'
import { newPreset } from '../../gateway/identity/presets.ts'
import { readPublicKeyLine } from '../../gateway/identity/ssh-public-key.ts'
import { newToken } from '../../gateway/identity/tokens.ts'
import type { CredentialKind, Store } from '../../gateway/store/store.ts'
import { answer, type FrameInit, join, text } from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { BINARY, exchange, RawWebSocket, resetRawWebSockets } from '../support/raw-websocket.ts'
import { ed25519, sshsig } from '../support/sshsig.ts'
import { command } from '../support/staff.ts'
import { guarded, lock } from './hostile-hall.ts'

let base: TestGateway
let gateway: TestGateway
/** Questions to the store since it was emptied. */
const asked: string[] = []
const known = { client: '', token: '', key: '', secret: '', foreign: '' }
const key = ed25519()

/** What is asked by the clock, and not for anybody, or only of offences. */
const UNNOTED = ['offences', 'mqttSessions']

/** A store that notes what it is asked. */
function noting(store: Store): Store {
  const parts = Object.entries(store).map(([name, part]) => {
    if (typeof part !== 'object' || UNNOTED.includes(name)) return [name, part]
    const get = (target: object, method: string) => {
      const found = Reflect.get(target, method)
      if (typeof found !== 'function') return found
      return (...given: unknown[]) => {
        asked.push(`${name}.${method}`)
        return found.apply(target, given)
      }
    }
    return [name, new Proxy(part, { get } as ProxyHandler<object>)]
  })
  return Object.assign(Object.create(store), Object.fromEntries(parts))
}

beforeAll(async () => {
  base = await TestGateway.start()
  gateway = await base.beside({ limbo: { failures: 10_000 } }, noting(base.store))
  await base.room('acme/boiler')
  await base.room('acme/den', [guarded(lock('preset'))])
  await base.room('other/room')
  known.secret = await base.token('acme', ['boiler'])
  known.foreign = await base.token('other', ['room'])
  const ann = await base.store.clients.create({ account: 'acme', slug: 'ann', grants: [] })
  await base.store.clients.create({ account: 'acme', slug: 'bare', grants: [] })
  known.client = ann.id
  known.key = randomUUID()
  const { data } = newConnectionKey(known.key, randomBytes(32), randomBytes(16))
  await add('connection-key', { ...data }, known.key)
  await add('ssh-key', readPublicKeyLine(key.line).data)
  await add('password', await newPassword('sesame', randomBytes(16)))
  await add('preset', newPreset(randomBytes(16), Buffer.from('x'), randomBytes(16)))
}, 60_000)
afterEach(resetRawWebSockets)
afterAll(async () => {
  await gateway?.stop()
  await base?.stop()
})

async function add(kind: CredentialKind, data: object, id: string = randomUUID()): Promise<void> {
  const client = kind === 'connection-key' ? {} : { client: 'ann' }
  const facts = { id, kind, account: 'acme', label: '', ...client }
  await base.store.credentials.add({ ...facts, data: data as JsonObject })
}

/** Frames as text, without what differs from socket to socket or is an echo of the question. */
function shape(frames: readonly Frame[], ...echoes: string[]): string {
  const json = frames.map((frame) => toJsonString(FrameSchema, frame)).join('\n')
  const plain = echoes.reduce((left, echo) => left.replaceAll(echo, 'ECHO'), json)
  return plain
    .replace(/(lock|socket):[a-z2-7]{16}/g, '$1:ID')
    .replace(/"deadlineMs":\d+/g, '"deadlineMs":N')
    .replace(/"(nonce|salt|data)":"([\w+/=]+)"/g, (_, name, value) => `"${name}":${value.length}`)
}

/** What a new socket hears of some frames, and what the store was asked for it. */
async function tries(count: number, echo: string, frames: FrameInit[], path = '/v1/ws') {
  const socket = await RawWebSocket.open(gateway.port, { path })
  asked.length = 0
  socket.packet(...frames)
  const heard = await socket.frames(count, BINARY)
  const result = { heard: shape(heard, echo), asked: [...asked] }
  socket.reset()
  return result
}

/** An answer in the main lobby, as it is. */
function replies(id: number, acceptor: string, response: object | undefined): FrameInit {
  const value = { acceptor, ...(response && { response }) }
  return { id, body: { case: 'lockStep', value: { step: { case: 'answer', value } } as never } }
}

/** All of them must be told, and cost, the same. */
async function same(names: readonly string[], attempt: (name: string) => Promise<unknown>) {
  const results: unknown[] = []
  for (const name of names) results.push(await attempt(name))
  for (const other of results) expect(other).toEqual(results[0])
  return results[0]
}

const CLIENTS = ['client:acme/ann', 'client:acme/bare', 'client:acme/nobody', 'client:nobody/ann']
const gatewayUrl = () => `http://127.0.0.1:${gateway.port}`

describe('who is nobody', () => {
  test('meets the same lock at any room, of any account', async () => {
    const rooms = ['room:acme/boiler', 'room:acme/ghost', 'room:nobody/boiler']
    const nobodys = newToken(randomUUID(), randomBytes(32)).secret
    const first = await same(rooms, (room) => tries(2, room, [join(1, room), answer(2, nobodys)]))
    expect(first).toMatchObject({ heard: expect.stringContaining('UNAUTHENTICATED') })
  })

  test('meets the same lock at any lobby', async () => {
    const lobbies = ['lobby:acme', 'lobby:nobody', `lobby:${randomUUID()}`]
    const nobodys = newToken(randomUUID(), randomBytes(32)).secret
    await same(lobbies, (lobby) => tries(2, lobby, [join(1, lobby), answer(2, nobodys)]))
  })

  test('an SSH key: of another, of nobody, of a client without, of no account', async () => {
    const stranger = ed25519()
    const first = await same(CLIENTS, async (client) => {
      const socket = await RawWebSocket.open(gateway.port)
      socket.packet(replies(1, 'ssh-key', undefined))
      await socket.frame()
      asked.length = 0
      const signature = sshsig(stranger, randomBytes(40))
      const value = { client, gateway: gatewayUrl(), signature }
      socket.packet(replies(2, 'ssh-key', { case: 'signature', value }))
      return { heard: shape([await socket.frame()], client), asked: [...asked] }
    })
    expect(first).toMatchObject({ heard: expect.stringContaining('UNAUTHENTICATED') })
  })

  test('a password', async () => {
    const first = await same(CLIENTS, (client) => {
      const response = { case: 'responses', value: { values: [client, 'wrong'] } }
      return tries(1, client, [replies(1, 'password', response)])
    })
    expect(first).toMatchObject({ heard: expect.stringContaining('UNAUTHENTICATED') })
  })

  test('a connection key, which is asked for with the same salt each time', async () => {
    const unknown = randomUUID()
    const salts: unknown[] = []
    await same([known.key, unknown, unknown], async (id) => {
      const socket = await RawWebSocket.open(gateway.port)
      asked.length = 0
      const value = { key: id, nonce: randomBytes(16), gateway: gatewayUrl() }
      socket.packet(replies(1, 'key', { case: 'scramStart', value }))
      const challenge = await socket.frame()
      salts.push(/"salt":"([^"]+)"/.exec(toJsonString(FrameSchema, challenge))?.[1])
      const proof = { case: 'scramProof', value: { proof: randomBytes(32) } }
      socket.packet(replies(2, 'key', proof))
      return { heard: shape([challenge, await socket.frame()], id), asked: [...asked] }
    })
    expect(salts[1]).toBe(salts[2])
    expect(salts[0]).not.toBe(salts[1])
  })

  test('a device by its UUID', async () => {
    await same([known.client, randomUUID()], (client) => {
      const response = { case: 'text', value: 'wrong' }
      const path = `/acme/den/${client}/`
      return tries(2, client, [replies(1, 'preset', response)], path)
    })
  })

  test('a token by its id', async () => {
    const another = randomBytes(32).toString('base64url')
    const [, id = ''] = known.secret.split('_')
    await same([id, randomUUID().replaceAll('-', '')], (each) =>
      tries(1, each, [answer(1, `pht_${each}_${another}`)]),
    )
  })

  test('a login by HTTP', async () => {
    await same(['acme/boiler', 'acme/ghost', 'nobody/boiler'], async (room) => {
      asked.length = 0
      const head = `GET /v1/login/${room} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
      const told = (await exchange(gateway.port, head)).replace(/^Date: .*$/m, '')
      return { told, asked: [...asked] }
    })
  })
})

describe('who is somebody elsewhere', () => {
  async function foreigner(): Promise<RawWebSocket> {
    const socket = await RawWebSocket.open(gateway.port)
    socket.packet(answer(1, known.foreign), join(2, 'room:other/room'))
    await socket.frames(2)
    return socket
  }

  test('reaches nobody, and is told of nobody, by any address', async () => {
    const inside = await RawWebSocket.open(gateway.port)
    inside.packet(answer(1, known.secret), join(2, 'room:acme/boiler'))
    await inside.frames(2)
    const [, id = ''] = known.secret.split('_')
    const token = id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    const socket = await foreigner()
    const names = [...CLIENTS, `token:${token}/1`, `token:${randomUUID()}/1`]
    names.push(`client:acme/${known.client}`, `lock:${'a'.repeat(16)}`, `socket:${'a'.repeat(16)}`)
    await same(names, async (name) => {
      socket.packet(text(3, 'x', { to: [name] }))
      const { body } = await socket.frame()
      return body.case === 'receipt' && [body.value.status, body.value.sockets, body.value.code]
    })
  })

  test('asks in vain about anything of the account, there or not', async () => {
    const socket = await foreigner()
    const [, id = ''] = known.secret.split('_')
    const token = id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    const questions: FrameInit[] = [
      ...CLIENTS,
      'room:acme/boiler',
      'room:acme/ghost',
      'lobby:acme',
      'lobby:nobody',
      `token:${token}`,
      `token:${randomUUID()}`,
    ].map((of) => command(3, 'listSockets', { of }))
    questions.push(
      ...['lobby:acme', 'lobby:nobody'].map((of) => command(3, 'listRooms', { of })),
      ...['lobby:acme', 'client:acme/ann', 'client:acme/nobody', 'client:nobody/ann'].map((of) =>
        command(3, 'watch', { of }),
      ),
      command(3, 'dropSocket', { socket: `socket:${'a'.repeat(16)}` }),
      command(3, 'admit', { lock: `lock:${'a'.repeat(16)}`, admitted: true }),
    )
    const codes = new Set<unknown>()
    for (const question of questions) {
      socket.packet(question)
      const { body } = await socket.frame()
      codes.add(body.case === 'drop' ? body.value.code : body.case)
    }
    expect([...codes]).toEqual([42])
  })
})
