import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Client, type ConnectOptions, connect } from '../../clients/ts/src/index.ts'
import { TestGateway } from '../support/gateway.ts'

let gateway: TestGateway
let token: string
const clients: Client[] = []

beforeAll(async () => {
  gateway = await TestGateway.start()
  await gateway.room('demo/hello')
  await gateway.room('demo/other')
  token = await gateway.token('demo', ['hello'])
})
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())))
afterAll(() => gateway.stop())

async function open(options: ConnectOptions = { token }, path = ''): Promise<Client> {
  const client = await connect(gateway.url + path, { backoff: { baseMs: 20 }, ...options })
  clients.push(client)
  return client
}

async function take<T>(messages: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = []
  for await (const each of messages) if (taken.push(each) === count) break
  return taken
}

test('two clients talk through a room, with receipts', async () => {
  const [ann, bob] = await Promise.all([open(), open()])
  const room = await ann.join('demo/hello')
  const listening = await bob.join('demo/hello')
  const messages = listening.messages()
  const receipt = await room.send('hello', { channel: 'a/b', headers: { traceparent: 'x' } })
  const [message] = await take(messages, 1)
  expect(receipt).toMatchObject({ status: 'ROUTED', sockets: 1, rejections: [] })
  expect(message).toMatchObject({
    id: receipt.id,
    sequence: receipt.sequence,
    epoch: receipt.epoch,
    from: ann.socket,
    address: 'room:demo/hello/a/b',
    channel: 'a/b',
    text: 'hello',
    headers: { traceparent: 'x' },
  })
  expect((await bob.send(message!.from, 'directly')).status).toBe('ROUTED')
})

test('many sends in flight arrive in order, each once', async () => {
  const [ann, bob] = await Promise.all([open(), open()])
  const room = await ann.join('demo/hello', { sendOnly: true })
  const messages = (await bob.join('demo/hello')).messages()
  const texts = Array.from({ length: 5000 }, (_, index) => `message ${index}`)
  const receipts = await Promise.all(texts.map((text) => room.send(text)))
  expect((await take(messages, 5000)).map(({ text }) => text)).toEqual(texts)
  const sequences = receipts.map(({ sequence }) => sequence!)
  expect(sequences).toEqual(sequences.map((_, index) => sequences[0]! + BigInt(index)))
})

test('the room of a URL is entered by itself, and is the default target', async () => {
  const ann = await open({ token }, '/demo/hello')
  const bob = await open({ token }, '/demo/hello/temp')
  expect(ann.entered?.address).toBe('room:demo/hello')
  expect(bob.entered?.address).toBe('room:demo/hello/temp')
  const messages = ann.entered!.messages()
  await bob.send([], 'to where I am')
  expect((await take(messages, 1))[0]).toMatchObject({ channel: 'temp', text: 'to where I am' })
})

test('refusals come with their codes', async () => {
  await expect(open({ token: 'pht_wrong' })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  await expect(open({}, '/demo/hello')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  await expect(open({ token }, '/v1/nowhere')).rejects.toMatchObject({ temporary: false })
  const stranger = await open({})
  await expect(stranger.join('demo/hello')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  const ann = await open()
  await expect(ann.join('demo/missing')).rejects.toMatchObject({ code: 'ROOM_UNKNOWN' })
  await expect(ann.join('demo/other')).rejects.toMatchObject({ code: 'ENTRY_NOT_PERMITTED' })
  await expect(ann.join('demo/HELLO')).rejects.toMatchObject({ code: 'ADDRESS_INVALID' })
  const room = await ann.join('demo/hello')
  await expect(room.send('x', { level: 'stored' })).rejects.toMatchObject({ code: 'NO_HISTORY' })
  const own = { idempotencyKey: 'mine' }
  expect((await room.send('x', own)).status).toBe('VOID')
  expect((await room.send('x', own)).status).toBe('DUPLICATE')
  await expect(room.send('y', own)).rejects.toMatchObject({ code: 'KEY_REUSED' })
})

test('heartbeats keep a connection on which nothing is said', async () => {
  // Twice 500 ms of silence would end it; four beats are two seconds.
  const beaten = Promise.withResolvers<void>()
  let beats = 0
  class Counting extends WebSocket {
    override send(packet: Uint8Array<ArrayBuffer>): void {
      super.send(packet)
      if (packet.length === 0 && ++beats === 4) beaten.resolve()
    }
  }
  const beating = await gateway.beside({ heartbeatMs: 500 })
  const ann = await connect(beating.url, { token, WebSocket: Counting })
  let lost = false
  ann.on('reconnecting', () => {
    lost = true
  })
  await beaten.promise
  expect((await ann.send('demo/hello', 'still here')).status).toBe('VOID')
  expect(lost).toBe(false)
  await ann.close()
  await beating.stop()
})

test('left, a room is not heard any more', async () => {
  const [ann, bob] = await Promise.all([open(), open()])
  const room = await ann.join('demo/hello')
  const left = await bob.join('demo/hello')
  const loop = take(left.messages(), 1)
  await left.leave()
  expect(await loop).toEqual([])
  expect((await room.send('anybody?')).status).toBe('VOID')
})

test('a drained gateway is come back to, and what was said meanwhile arrives once', async () => {
  const [ann, bob] = await Promise.all([open(), open()])
  const room = await ann.join('demo/hello')
  const messages = (await bob.join('demo/hello')).messages()
  await room.send('before')
  const lost = Promise.all(
    [ann, bob].map((client) => new Promise((resolve) => client.on('reconnecting', resolve))),
  )
  const back = new Promise((resolve) => bob.on('reconnected', resolve))
  await gateway.drain()
  expect(await lost).toMatchObject(Array(2).fill({ error: { code: 'DRAINING' } }))
  await gateway.resume()
  expect(await back).toMatchObject({ rooms: [{ address: 'room:demo/hello', recovered: false }] })
  await room.send('after')
  expect((await take(messages, 2)).map(({ text }) => text)).toEqual(['before', 'after'])
})

test('the sample does what it says, and its process ends by itself', async () => {
  const bob = await open()
  const messages = (await bob.join('demo/hello')).messages()
  const sample = new URL('../../clients/ts/samples/hello.ts', import.meta.url).pathname
  const program = spawn(process.execPath, [sample, gateway.url, 'demo/hello', token], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const output = text(program.stdout)
  const [hello] = await take(messages, 1)
  expect(hello!.text).toBe('hello')
  await bob.send('demo/hello', 'hello yourself')
  expect(await once(program, 'exit')).toEqual([0, null])
  expect(await output).toBe(`ROUTED to 1\n${bob.socket}: hello yourself\n`)
})
