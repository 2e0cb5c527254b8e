/** Whole logins at a real gateway, frame by frame as the pages in docs/acceptors tell them. */
import { randomBytes, randomUUID, sign } from 'node:crypto'
import { on } from 'node:events'
import type { JsonObject } from '@bufbuild/protobuf'
import type { Flow } from '@porthouse/proto/room/v1/access'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { newConnectionKey } from '../../../gateway/identity/connection-keys.ts'
import { loginMessage } from '../../../gateway/identity/login-message.ts'
import { newPassword } from '../../../gateway/identity/passwords.ts'
import { newPreset } from '../../../gateway/identity/presets.ts'
import { readPublicKeyLine } from '../../../gateway/identity/ssh-public-key.ts'
import type { CredentialKind } from '../../../gateway/store/store.ts'
import { TestGateway } from '../../support/gateway.ts'
import { prove, randomOf } from '../../support/key-login.ts'
import { ed25519, type Signer, sshsig } from '../../support/sshsig.ts'

let hub: TestGateway
beforeAll(async () => {
  hub = await TestGateway.start()
})
afterAll(() => hub?.stop())

/** A room of account acme behind a flow, and a client of it with a right there. */
async function room(flow: unknown): Promise<{ room: string; client: string; clientId: string }> {
  const slug = `r${randomUUID().slice(0, 8)}`
  await hub.room(`acme/${slug}`, [{ case: 'access', value: { locks: [], flow } as never }])
  const grants = [{ room: slug, send: true, receive: true }]
  const { id } = await hub.store.clients.create({ account: 'acme', slug: `c-${slug}`, grants })
  return { room: `acme/${slug}`, client: `c-${slug}`, clientId: id }
}

function lock(acceptor: string, options?: JsonObject): Flow {
  const value = { acceptor, tries: 0, deadlineMs: 0, ...(options && { options }) }
  return { kind: { case: 'lock', value } } as Flow
}

async function credential(kind: CredentialKind, data: object, client?: string): Promise<string> {
  const id = randomUUID()
  const owner = { account: 'acme', ...(client && { client }) }
  await hub.store.credentials.add({ id, kind, ...owner, data: data as JsonObject, label: '' })
  return id
}

interface Asked {
  readonly lock: string
  readonly place: string
  readonly others: string[]
  readonly data: string
  readonly nonce: { nonce: string; socket: string }
  readonly scram: { nonce: string; salt: string; iterations: number; socket: string }
  readonly prompts: { prompts: object[] }
}

/** A frame as a script reads it. */
interface Said {
  readonly lockStep: {
    readonly lock: string
    readonly challenge: Asked
    readonly verdict: { outcome: string; values: object }
  }
  readonly room: { readonly joined: object }
}

/** A socket that talks JSON, and hears packet by packet. */
class Talker implements Disposable {
  readonly #socket: WebSocket
  readonly #heard: AsyncIterator<Buffer[]>

  constructor(path: string) {
    this.#socket = new WebSocket(`${hub.url}/${path}`, 'porthouse.v1.json')
    const heard = on(this.#socket, 'message', { close: ['close'] })
    this.#heard = heard[Symbol.asyncIterator]()
  }

  async packet(): Promise<[Said, Said, Said]> {
    const { value, done } = await this.#heard.next()
    if (done) throw new Error('closed')
    return JSON.parse(value[0]!.toString()).frames
  }

  async challenge(): Promise<Asked> {
    const [frame] = await this.packet()
    const { lock, challenge } = frame.lockStep
    if (!challenge) throw new Error(`no challenge: ${JSON.stringify(frame)}`)
    return { ...challenge, lock }
  }

  answer(acceptor: string, response: object, lock = ''): void {
    const answer = { acceptor, ...response }
    const frame = { id: 9, lockStep: { ...(lock && { lock }), answer } }
    this.#socket.send(JSON.stringify({ frames: [frame] }))
  }

  [Symbol.dispose](): void {
    this.#socket.terminate()
  }
}

function signature(challenge: Asked, client: string, signer: Signer, raw = false) {
  const gateway = hub.url.replace('ws:', 'http:')
  const nonce = Buffer.from(challenge.nonce.nonce, 'base64')
  const { socket } = challenge.nonce
  const message = loginMessage({ gateway, socket, nonce, client, place: challenge.place })
  const bytes = raw ? sign(null, message, signer.privateKey) : sshsig(signer, message)
  return { signature: { client, gateway: hub.url, signature: bytes.toString('base64') } }
}

test('room, identity, SSH key: the whole stack unwinds in one packet', async () => {
  const key = ed25519()
  const { room: place, client } = await room(lock('identity'))
  await credential('ssh-key', readPublicKeyLine(key.line).data, client)
  using socket = new Talker(place)
  const challenge = await socket.challenge()
  expect(challenge).toMatchObject({ acceptor: 'ssh-key', place: `room:${place}`, depth: 2 })
  expect(challenge.others).toEqual(['token', 'key'])
  const address = `client:acme/${client}`
  socket.answer('ssh-key', signature(challenge, address, key), challenge.lock)
  const passed = { outcome: 'OUTCOME_PASSED', values: { client: address } }
  expect(await socket.packet()).toMatchObject([
    { id: 9, lockStep: { lock: challenge.lock, verdict: passed } },
    { lockStep: { verdict: passed } },
    { room: { joined: { address: `room:${place}`, maySend: true, listening: true } } },
  ])
})

test('a signature for one socket is void on another, which is asked anew (K12)', async () => {
  const key = ed25519()
  const { room: place, client } = await room(lock('ssh-key'))
  await credential('ssh-key', readPublicKeyLine(key.line).data, client)
  using victim = new Talker(place)
  using thief = new Talker(place)
  const [asked, other] = [await victim.challenge(), await thief.challenge()]
  const stolen = signature(asked, `client:acme/${client}`, key, true)
  thief.answer('ssh-key', stolen, other.lock)
  const [failed, again] = await thief.packet()
  expect(failed.lockStep.verdict).toMatchObject({ code: 'CODE_UNAUTHENTICATED', triesLeft: 2 })
  expect(again.lockStep.challenge.nonce.nonce).not.toBe(other.nonce.nonce)
  victim.answer('ssh-key', stolen, asked.lock)
  const [verdict] = await victim.packet()
  expect(verdict.lockStep.verdict.outcome).toBe('OUTCOME_PASSED')
})

test('a connection key, whose first message needs no challenge', async () => {
  const id = randomUUID()
  const { secret, data } = newConnectionKey(id, randomBytes(32), randomBytes(16))
  const { room: place } = await room(lock('key'))
  const owner = { id, kind: 'connection-key', account: 'acme', label: '' } as const
  await hub.store.credentials.add({ ...owner, data: { ...data } })
  using socket = new Talker(place)
  await socket.challenge()
  const [clientNonce, gateway] = [randomBytes(16), hub.url.replace('ws:', 'http:')]
  const start = { key: id, nonce: clientNonce.toString('base64'), gateway: hub.url }
  socket.answer('key', { scramStart: start })
  const { scram, lock: asked } = await socket.challenge()
  const [serverNonce, salt] = [scram.nonce, scram.salt].map((each) => Buffer.from(each, 'base64'))
  const exchange = {
    ...{ gateway, socket: scram.socket, key: id, place: `room:${place}`, clientNonce },
    ...{ serverNonce: serverNonce!, salt: salt!, iterations: scram.iterations },
  }
  const { proof, serverSignature } = prove(randomOf(secret), exchange)
  socket.answer('key', { scramProof: { proof: proof.toString('base64') } }, asked)
  const [verdict, joined] = await socket.packet()
  expect(verdict.lockStep.verdict).toEqual({
    outcome: 'OUTCOME_PASSED',
    values: { account: 'acme', server_signature: serverSignature.toString('base64') },
  })
  expect(joined.room.joined).toMatchObject({ maySend: true, listening: true })
})

test('a password', async () => {
  const { room: place, client } = await room(lock('password'))
  await credential('password', await newPassword('7 Äpfel', randomBytes(16)), client)
  using socket = new Talker(place)
  const { prompts } = await socket.challenge()
  expect(prompts.prompts).toEqual([{ text: 'Client: ', echo: true }, { text: 'Password: ' }])
  socket.answer('password', { responses: { values: [client, '7 Apfel'] } })
  const [failed] = await socket.packet()
  expect(failed.lockStep.verdict).toMatchObject({ outcome: 'OUTCOME_FAILED', triesLeft: 2 })
  socket.answer('password', { responses: { values: [client, '7 Äpfel'] } })
  const [verdict, joined] = await socket.packet()
  expect(verdict.lockStep.verdict.values).toEqual({ client: `client:acme/${client}` })
  expect(joined.room.joined).toMatchObject({ maySend: true })
})

test('a device that the URL names is challenged, answers, and is in (R4)', async () => {
  const { room: place, client, clientId } = await room(lock('preset'))
  const response = randomBytes(32)
  const data = newPreset(Buffer.from('who is there?'), response, randomBytes(16))
  await credential('preset', data, client)
  using device = new Talker(`${place}/${clientId}/`)
  const challenge = await device.challenge()
  expect(Buffer.from(challenge.data, 'base64').toString()).toBe('who is there?')
  device.answer('preset', { data: response.toString('base64') })
  const [verdict, joined] = await device.packet()
  expect(verdict.lockStep.verdict.values).toEqual({ client: `client:acme/${client}` })
  expect(joined.room.joined).toMatchObject({ address: `room:${place}`, maySend: true })
})
