/** The client's answerers against a real gateway and the real OpenSSH. */
import { spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import type { JsonObject } from '@bufbuild/protobuf'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import {
  type Client,
  type ConnectOptions,
  connect,
  connectionKey,
  type LockStep,
  password,
  preset,
  prompts,
  token,
} from '../../clients/ts/src/index.ts'
import { sshAgent, sshKeyFile } from '../../clients/ts/src/node/index.ts'
import { newConnectionKey } from '../../gateway/identity/connection-keys.ts'
import { newPassword } from '../../gateway/identity/passwords.ts'
import { newPreset } from '../../gateway/identity/presets.ts'
import { readPublicKeyLine } from '../../gateway/identity/ssh-public-key.ts'
import type { CredentialKind } from '../../gateway/store/store.ts'
import { TestGateway } from '../support/gateway.ts'
import { type KeyPair, SshKeygen } from '../support/ssh-keygen.ts'

const PASSWORD = '7 Äpfel'

let hub: TestGateway
let keygen: SshKeygen
let key: KeyPair
let anna: string
let accountKey: string
const clients: Client[] = []

beforeAll(async () => {
  hub = await TestGateway.start()
  keygen = new SshKeygen()
  key = keygen.make('ed25519')
  for (const [room, flow] of Object.entries({
    signed: lock('ssh-key'),
    keyed: lock('key'),
    worded: lock('password'),
    preset: lock('preset'),
    nested: lock('identity'),
    either: any(lock('password'), lock('token'), lock('ssh-key')),
    both: all(lock('token'), lock('ssh-key')),
    terminal: lock('tty', {
      prompts: [{ text: 'Colour? ', echo: true, any: true }],
    }),
  })) {
    await hub.room(`acme/${room}`, [{ case: 'access', value: { locks: [], flow } as never }])
  }
  await hub.room('acme/yard', [{ case: 'access', value: { locks: [] } as never }])
  const rooms = ['signed', 'keyed', 'worded', 'preset', 'nested', 'either', 'both']
  const grants = rooms.map((room) => ({ room, send: true, receive: true }))
  anna = (await hub.store.clients.create({ account: 'acme', slug: 'anna', grants })).id
  await credential('ssh-key', readPublicKeyLine(key.line).data, 'anna')
  await credential('password', await newPassword(PASSWORD, randomBytes(16)), 'anna')
  const asked = Buffer.from('who is there?')
  await credential('preset', newPreset(asked, Buffer.from('me'), randomBytes(16)), 'anna')
  const id = randomUUID()
  const made = newConnectionKey(id, randomBytes(32), randomBytes(16))
  const owner = { id, kind: 'connection-key', account: 'acme', label: '' } as const
  await hub.store.credentials.add({ ...owner, data: { ...made.data } })
  accountKey = made.secret
}, 60_000)
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())))
afterAll(async () => {
  keygen?.[Symbol.dispose]()
  await hub?.stop()
})

function lock(acceptor: string, options?: JsonObject) {
  return { kind: { case: 'lock', value: { acceptor, ...(options && { options }) } } }
}
const all = (...flows: object[]) => ({ kind: { case: 'all', value: { flows } } })
const any = (...flows: object[]) => ({ kind: { case: 'any', value: { flows } } })

async function credential(kind: CredentialKind, data: object, client: string): Promise<void> {
  const facts = { id: randomUUID(), kind, account: 'acme', client, label: '' }
  await hub.store.credentials.add({ ...facts, data: data as JsonObject })
}

async function open(path: string, options: ConnectOptions): Promise<Client> {
  const client = await connect(`${hub.url}${path}`, { backoff: { baseMs: 10 }, ...options })
  clients.push(client)
  return client
}

const byFile = () => sshKeyFile({ client: 'acme/anna', path: key.file })
const byPassword = () => password({ client: 'acme/anna', password: PASSWORD })

/** Counts packets each way. */
function counted(): { sent: number; received: number; options: ConnectOptions } {
  const counts = { sent: 0, received: 0 }
  return Object.assign(counts, {
    options: { onPacket: (direction: 'sent' | 'received') => void counts[direction]++ },
  })
}

describe('each answerer proves itself in the main lobby, and opens its room', () => {
  test.each([
    ['ssh-key', 'signed', byFile],
    ['key', 'keyed', () => connectionKey(accountKey)],
    ['password', 'worded', byPassword],
  ])('%s', async (_, room, answerer) => {
    const inLobby = await open('', { locks: [answerer()] })
    expect((await inLobby.join(`acme/${room}`)).maySend).toBe(true)
    const entered = await open(`/acme/${room}`, { locks: [answerer()] })
    expect(entered.entered).toMatchObject({ address: `room:acme/${room}`, maySend: true })
    const later = await open('', { locks: [{ ...answerer(), nominates: false }] })
    expect((await later.join(`acme/${room}`)).listening).toBe(true)
  })

  test('preset, where the URL names the device', async () => {
    const client = await open(`/acme/preset/${anna}/`, { locks: [preset('me')] })
    expect(client.entered?.maySend).toBe(true)
    const found = await open(`/acme/preset/${anna}/`, {
      locks: [preset((asked) => (Buffer.from(asked).toString() === 'who is there?' ? 'me' : ''))],
    })
    expect(found.entered?.maySend).toBe(true)
  })

  test('password, where the URL names the client', async () => {
    const client = await open(`/acme/worded/${anna}/`, { locks: [byPassword()] })
    expect(client.entered?.maySend).toBe(true)
  })

  test('prompts, by a person', async () => {
    const asked: string[] = []
    const person = prompts(async ({ prompts }) => {
      asked.push(...prompts.map(({ text }) => text))
      return ['blue']
    })
    const client = await open('/acme/terminal', { locks: [person] })
    expect(client.entered?.listening).toBe(true)
    expect(asked).toEqual(['Colour? '])
  })
})

describe('what is wrong is told as what it is', () => {
  test.each([
    ['ssh-key', () => sshKeyFile({ client: 'acme/bob', path: key.file })],
    ['key', () => connectionKey(`${accountKey.slice(0, -3)}AAA`)],
    ['password', () => password({ client: 'acme/anna', password: 'wrong' })],
  ])('%s', async (_, answerer) => {
    const refused = { code: 'UNAUTHENTICATED', temporary: false }
    await expect(open('', { locks: [answerer()] })).rejects.toMatchObject(refused)
    await expect(open('/acme/either', { locks: [answerer()] })).rejects.toMatchObject(refused)
  })

  test('a room that none of the answerers fits names what it asks for', async () => {
    const message = 'UNAUTHENTICATED: room:acme/either asks for password or token or ssh-key'
    const locks = [connectionKey(accountKey)]
    await expect(open('/acme/either', { locks: [preset('x')] })).rejects.toThrow(message)
    const client = await open('', { locks: [] })
    await expect(client.join('acme/either')).rejects.toThrow(message)
    // The owner of the account is not asked: what he has proved is another thing.
    const owner = await open('', { locks })
    await expect(owner.join('acme/either')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })
})

describe('of what a room would take', () => {
  test('the first that fits is chosen, in the order of the answerers', async () => {
    const passed: string[] = []
    const onStep = (step: LockStep) => {
      if (step.kind === 'verdict') passed.push(step.verdict.outcome)
    }
    const client = await open('/acme/either', { locks: [byFile(), byPassword()], onStep })
    expect(client.entered?.maySend).toBe(true)
    expect(passed).toEqual(['passed'])
  })

  test('another one is tried where one was wrong', async () => {
    const wrong = password({ client: 'acme/anna', password: 'wrong' })
    const client = await open('/acme/either', { locks: [wrong, byFile()] })
    expect(client.entered?.maySend).toBe(true)
    const other = await open('/acme/either', { locks: [token('pht_wrong'), byPassword()] })
    expect(other.entered?.maySend).toBe(true)
  })

  test('all are answered where all are asked, in the main lobby or by the room', async () => {
    const secret = await hub.token('acme', ['both'])
    for (const path of ['', '/acme/both']) {
      const client = await open(path, { token: secret, locks: [byFile()] })
      expect((await client.join('acme/both')).maySend).toBe(true)
    }
  })

  test('several rooms may be locked at once', async () => {
    const locks = [byFile(), byPassword(), connectionKey(accountKey)]
    const client = await open('', { locks: locks.map((each) => ({ ...each, nominates: false })) })
    const names = ['signed', 'worded', 'keyed', 'nested', 'either']
    const rooms = await Promise.all(names.map((room) => client.join(`acme/${room}`)))
    expect(rooms.map(({ address }) => address)).toEqual(names.map((name) => `room:acme/${name}`))
  })
})

test('room, identity, SSH key: a nested flow unwinds in one cycle', async () => {
  const packets = counted()
  const steps: string[] = []
  const onStep = (step: LockStep) => {
    if (step.kind === 'challenge') steps.push(`${step.challenge.acceptor} ${step.challenge.depth}`)
    else steps.push(step.verdict.outcome)
  }
  const client = await open('/acme/nested', { locks: [byFile()], onStep, ...packets.options })
  expect(client.entered?.maySend).toBe(true)
  expect(steps).toEqual(['ssh-key 2', 'passed', 'passed'])
  // Hello and the answer; the challenge, Welcome, and all that the answer unwound.
  expect(packets).toMatchObject({ sent: 2 })
  expect(packets.received).toBeLessThanOrEqual(3)
})

test('a place that asks for nothing of what there is: it is proved all the same', async () => {
  const proved: string[] = []
  const onStep = (step: LockStep) => {
    if (step.kind === 'verdict') proved.push(step.verdict.values.client ?? '')
  }
  const client = await open('/acme/yard', { locks: [byFile(), byPassword()], onStep })
  expect(client.entered?.maySend).toBe(true)
  expect(proved).toEqual(['client:acme/anna', 'client:acme/anna'])
  const wrong = sshKeyFile({ client: 'acme/bob', path: key.file })
  const refused = { code: 'UNAUTHENTICATED' }
  await expect(open('/acme/yard', { locks: [wrong] })).rejects.toMatchObject(refused)
  await expect(open('/acme/yard', { token: 'pht_no' })).rejects.toMatchObject(refused)
})

test('a token connects, and its room is entered, in one packet each way', async () => {
  const secret = await hub.token('acme', ['either'])
  const packets = counted()
  await open('', { token: secret, ...packets.options })
  expect(packets).toMatchObject({ sent: 1, received: 1 })
})

describe('an SSH agent', () => {
  test('signs with the key that fits, of several', async () => {
    const socket = join(keygen.folder, 'agent')
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] })
    onTestFinished(() => void agent.kill())
    await once(agent.stdout, 'data')
    const add = async (file: string) => {
      const env = { ...process.env, SSH_AUTH_SOCK: socket }
      expect(await once(spawn('ssh-add', ['-q', file], { env }), 'exit')).toEqual([0, null])
    }
    const [first, rsa] = [keygen.make('ecdsa'), keygen.make('rsa', '-b', '2048')]
    await add(first.file)
    await add(key.file)
    await add(rsa.file)
    const client = await open('/acme/signed', {
      locks: [sshAgent({ client: 'acme/anna', socket })],
    })
    expect(client.entered?.maySend).toBe(true)
    const inLobby = await open('', { locks: [sshAgent({ client: 'acme/anna', socket })] })
    expect((await inLobby.join('acme/signed')).maySend).toBe(true)
    await credential('ssh-key', readPublicKeyLine(rsa.line).data, 'anna')
    const named = sshAgent({ client: 'acme/anna', socket, key: rsa.line })
    expect((await open('/acme/signed', { locks: [named] })).entered?.maySend).toBe(true)
    const other = sshAgent({ client: 'acme/anna', socket, key: first.line })
    await expect(open('', { locks: [other] })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    agent.kill()
    await once(agent, 'exit')
    await expect(open('', { locks: [other] })).rejects.toThrow('No help from the SSH agent')
  })
})
