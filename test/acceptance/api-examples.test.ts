/** Each example of curl in the admin API's protos is done as it stands. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DescMethod } from '@bufbuild/protobuf'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Client, connect } from '../../clients/ts/src/index.ts'
import { servicesIn, toldOf } from '../../scripts/render/api/api.ts'
import { readProtos } from '../../scripts/render/proto-comments.ts'
import { TestGateway } from '../support/gateway.ts'

const AT_ONCE = 4
const LONG_MS = 120_000
const ACME = 'accounts/acme'

let gateway: TestGateway
let key: string
const sockets: Client[] = []

beforeAll(async () => {
  gateway = await TestGateway.start()
  key = await gateway.operatorKey()
  // What is not done fails; the examples say nothing of it.
  await writeFile(join(gateway.data, '.curlrc'), 'silent\nshow-error\nfail-with-body\n')
})
afterAll(async () => {
  await Promise.all(sockets.map((socket) => socket.close()))
  await gateway.stop()
})

const METHODS = servicesIn(readProtos()).flatMap(({ methods }) => methods)
const named = (method: DescMethod) => `${method.parent.name}/${method.name}`
/** These make what the others name, and end it. */
const FIRST = [
  'AccountService/CreateAccount',
  'RoomService/CreateRoom',
  'ClientService/CreateClient',
]
const LAST = [
  'ClientService/DeleteClient',
  'RoomService/DeleteRoom',
  'AccountService/DeleteAccount',
]

/** Runs an example with an id for each `ID`; of a stream, until its first message. */
async function runs(method: DescMethod, id = ''): Promise<string> {
  const { example } = toldOf(method)
  const { PATH = '' } = process.env
  const URL = `http://127.0.0.1:${gateway.port}`
  const env = { PATH, KEY: key, URL, HOME: gateway.data }
  const child = spawn('sh', ['-c', example.replaceAll(/\bID\b/g, id)], { env, detached: true })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
    // Of an enveloped stream; the group of the shell and of curl is its own.
    if (method.methodKind === 'server_streaming') process.kill(-child.pid!)
  })
  const [code, signal] = await once(child, 'close')
  expect({ code, signal }, `${named(method)}: ${said}`).toMatchObject(
    method.methodKind === 'server_streaming' ? { signal: 'SIGTERM' } : { code: 0 },
  )
  return said
}

async function call(method: string, body: object): Promise<Record<string, string>> {
  const at = `http://127.0.0.1:${gateway.port}/porthouse.admin.v1.${method}`
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const answer = await fetch(at, { method: 'POST', headers, body: JSON.stringify(body) })
  const said = (await answer.json()) as Record<string, string>
  expect(answer.status, `${method} ${JSON.stringify(said)}`).toBe(200)
  return said
}

const idIn = ({ name = '' }: Record<string, string>) => name.split('/').at(-1)!

async function token(): Promise<Record<string, string>> {
  const rights = { send: true, receive: true }
  const grants = ['boiler', 'hall'].map((room) => ({ room: `${ACME}/rooms/${room}`, ...rights }))
  return call('TokenService/CreateToken', { parent: ACME, token: { grants } })
}

/** What `ID` is to be, by what stands before it in the example. */
const IDS: Record<string, () => Promise<string>> = {
  tokens: async () => idIn(await token()),
  apiKeys: async () =>
    idIn(
      await call('ApiKeyService/CreateApiKey', { parent: ACME, apiKey: { role: 'ROLE_ADMIN' } }),
    ),
  connectionKeys: async () =>
    idIn(await call('ConnectionKeyService/CreateConnectionKey', { parent: ACME })),
  credentials: async () => {
    const body = { parent: `${ACME}/clients/pump`, credential: { password: 'correct horse' } }
    return idIn(await call('ClientService/CreateCredential', body))
  },
  sockets: async () => {
    const { secret } = await token()
    const client = await connect(gateway.url, { token: secret!, reconnect: false })
    await client.join('acme/hall')
    sockets.push(client)
    return client.socket.replace(/^socket:/, '')
  },
  messages: async () => {
    const { id } = await call('MessageService/SendMessage', { to: ['room:acme/hall'], text: 'hi' })
    const hex = Buffer.from(id!, 'base64').toString('hex')
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  },
}

async function idFor(method: DescMethod): Promise<string> {
  const [, kind] = /(\w+)\/ID\b/.exec(toldOf(method).example) ?? []
  return kind === undefined ? '' : IDS[kind]!()
}

const ofNames = (names: readonly string[]) =>
  names.map((name) => METHODS.find((method) => named(method) === name)!)

test('every example is done', { timeout: LONG_MS }, async () => {
  for (const method of ofNames(FIRST)) await runs(method)
  const groups = [{ groups: { groups: [{ name: 'workers' }] } }]
  const room = { parent: ACME, roomId: 'boiler', room: { config: { blocks: groups } } }
  await call('RoomService/CreateRoom', room)
  for (const clientId of ['ann', 'bob']) {
    await call('ClientService/CreateClient', { parent: ACME, clientId })
  }
  for (let i = 0; i < 7; i++) {
    await call('MessageService/SendMessage', { to: ['room:acme/hall'], text: `${i}` })
  }
  const between = METHODS.filter((method) => ![...FIRST, ...LAST].includes(named(method)))
  await gateway.store.offences.add(['address:203.0.113.0/24'], new Date(), 60_000)
  const failed: unknown[] = []
  // Methods of one service may undo each other, and are asked in their order.
  const next = Map.groupBy(between, ({ parent }) => parent).values()
  const worker = async () => {
    for (const methods of next) {
      for (const method of methods) {
        await runs(method, await idFor(method)).catch((error: Error) => failed.push(error.message))
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  expect(failed).toEqual([])
  for (const method of ofNames(LAST)) await runs(method)
})
