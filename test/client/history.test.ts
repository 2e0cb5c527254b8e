/** Rooms that remember, as a client of a real gateway has them (R23, R24, R36, R43). */
import { Keep } from '@porthouse/proto/room/v1/history'
import { Owners } from '@porthouse/proto/room/v1/session_history'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import {
  type Client,
  type ClientEvents,
  type ConnectOptions,
  connect,
  type Lost,
  type Presence,
  type Room,
} from '../../clients/ts/src/index.ts'
import { TestGateway } from '../support/gateway.ts'

let hub: TestGateway
let token: string
let rooms = 0
const clients: Client[] = []

const durable = { case: 'history', value: { keep: Keep.DURABLE } } as never
const windowed = { case: 'history', value: { keep: Keep.WINDOW } } as never

beforeAll(async () => {
  hub = await TestGateway.start()
  await hub.room('demo/first')
}, 60_000)
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())))
afterAll(() => hub?.stop())

/** A room of its own for each test, and a token for it. */
async function board(...blocks: never[]): Promise<string> {
  const slug = `board-${++rooms}`
  await hub.room(`demo/${slug}`, blocks)
  token = await hub.token('demo', [slug], { client: `anna-${rooms}` })
  return slug
}

async function open(options: ConnectOptions = {}, path = ''): Promise<Client> {
  const client = await connect(hub.url + path, { token, backoff: { baseMs: 20 }, ...options })
  clients.push(client)
  return client
}

/** A client whose connection can be cut, and the room that it listens to. */
async function fragile(path = '') {
  let socket: WebSocket | undefined
  class Cuttable extends WebSocket {
    constructor(...args: ConstructorParameters<typeof WebSocket>) {
      super(...args)
      socket = this
    }
  }
  const client = await open({ WebSocket: Cuttable as never }, path)
  const cut = async () => {
    const lost = next(client, 'reconnecting')
    socket?.terminate()
    await lost
  }
  return { client, cut }
}

function next<Name extends keyof ClientEvents>(client: Client, name: Name) {
  return new Promise<ClientEvents[Name]>((resolve) => {
    const off = client.on(name, (event) => {
      off()
      resolve(event)
    })
  })
}

async function take<T>(messages: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = []
  for await (const each of messages) if (taken.push(each) === count) break
  return taken
}

async function collect<T>(of: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const each of of) all.push(each)
  return all
}

const texts = (messages: readonly { text?: string }[]) => messages.map(({ text }) => text)

async function say(room: Room, from: number, to: number): Promise<void> {
  for (let each = from; each <= to; each++) await room.send(`${each}`, { level: 'stored' })
}

describe('joining since', () => {
  test.each([
    ['start', ['1', '2', '3', '4', '5']],
    [3, ['4', '5']],
    [{ last: 2 }, ['4', '5']],
    [5, []],
  ] as const)('%o hears what was before, then what is live', async (since, before) => {
    const slug = await board(durable)
    const ann = await (await open()).join(`demo/${slug}`)
    await say(ann, 1, 5)
    const room = await (await open()).join(`demo/${slug}`, { since })
    const messages = room.messages()
    await room.caughtUp
    await ann.send('live')
    const heard = await take(messages, before.length + 1)
    expect(texts(heard)).toEqual([...before, 'live'])
    expect(heard.map(({ replay }) => replay)).toEqual([...before.map(() => 'history'), undefined])
    expect(heard.at(-1)?.sequence).toBe(6n)
    expect(room.position?.sequence).toBe(6n)
  })

  test('unread hears each once, by the cursor that all sockets share', async () => {
    const slug = await board(durable)
    const ann = await (await open()).join(`demo/${slug}`)
    await say(ann, 1, 5)
    const first = await open()
    const [counted] = await take(first.unread(), 1)
    expect(counted).toMatchObject({ cursor: 0n, last: 5n, count: 5 })
    const one = await first.join(`demo/${slug}`, { since: 'unread' })
    const heard = await take(one.messages(), 3)
    expect(texts(heard)).toEqual(['1', '2', '3'])
    const told = new Promise((resolve) => ann.on('cursor', resolve))
    await Promise.all(heard.map((message) => one.read(message)))
    expect(await told).toMatchObject({ sequence: 3n })
    expect([one.cursor, ann.cursor]).toEqual([3n, 3n])
    // Backwards it does not go, and nobody minds.
    await one.read(1)
    await first.close()
    const again = await (await open()).join(`demo/${slug}`, { since: 'unread' })
    expect(again.cursor).toBe(3n)
    expect(texts(await take(again.messages(), 2))).toEqual(['4', '5'])
  })

  test('a room that keeps nothing says so', async () => {
    const slug = await board()
    const client = await open()
    const gap = next(client, 'gap')
    const room = await client.join(`demo/${slug}`, { since: 7 })
    expect(await gap).toMatchObject({ address: `room:demo/${slug}` })
    await room.caughtUp
    await expect(client.join(`demo/${slug}`, { since: 'start' })).rejects.toThrow('joined already')
    await expect(room.fetch()).rejects.toMatchObject({ code: 'NO_HISTORY' })
  })
})

describe('the history', () => {
  test('is fetched by page and walked in both directions', async () => {
    const slug = await board(durable)
    const room = await (await open()).join(`demo/${slug}`)
    await say(room, 1, 9)
    const around = await room.fetch({ around: 5, limit: 4 })
    expect(texts(around.messages)).toEqual(['4', '5', '6', '7'])
    expect(around).toMatchObject({ first: 1n, last: 9n, moreBefore: true, moreAfter: true })
    expect(texts((await room.fetch({ limit: 2 })).messages)).toEqual(['8', '9'])
    expect(texts((await room.fetch({ between: [2, 4] })).messages)).toEqual(['2', '3', '4'])
    const all = ['1', '2', '3', '4', '5', '6', '7', '8', '9']
    expect(texts(await collect(room.history({ limit: 2 })))).toEqual(all)
    const backward = room.history({ order: 'backward', limit: 4 })
    expect(texts(await collect(backward))).toEqual(all.toReversed())
    const since = room.history({ from: around.messages[1]! })
    expect(texts(await collect(since))).toEqual(['6', '7', '8', '9'])
    await expect(room.fetch({ after: 99 })).rejects.toMatchObject({ code: 'POSITION_UNKNOWN' })
    await expect(room.fetch({ after: 1, before: 2 })).rejects.toThrow('one of')
  })
})

describe('a cut connection', () => {
  test.each([
    ['a durable room', durable],
    ['a window', windowed],
  ])('misses nothing of %s', async (_, block) => {
    const slug = await board(block)
    const ann = await (await open()).join(`demo/${slug}/log`)
    const { client, cut } = await fragile()
    const gaps: Lost[] = []
    client.on('gap', (gap) => gaps.push(gap))
    const everything = client.messages()
    const room = (await client.join(`demo/${slug}`)).messages()
    const log = (await client.join(`demo/${slug}/*`)).messages()
    await ann.send('1')
    expect(texts(await take(room, 1))).toEqual(['1'])
    for (const round of [2, 4]) {
      const back = next(client, 'reconnected')
      await cut()
      await ann.send(`${round}`)
      await ann.send(`${round + 1}`)
      expect((await back).rooms).toMatchObject([{ recovered: true }])
    }
    await ann.send('6')
    const rest = ['2', '3', '4', '5', '6']
    expect(texts(await take(log, 6))).toEqual(['1', ...rest])
    expect(texts(await take(everything, 6))).toEqual(['1', ...rest])
    expect(gaps).toEqual([])
  })

  test('of the room of a URL misses nothing either', async () => {
    const slug = await board(durable)
    const ann = await (await open()).join(`demo/${slug}`)
    const { client, cut } = await fragile(`/demo/${slug}`)
    const messages = client.entered!.messages()
    await ann.send('1')
    expect((await messages.next()).value).toMatchObject({ text: '1' })
    const back = next(client, 'reconnected')
    await cut()
    await ann.send('2')
    await ann.send('3')
    await back
    await ann.send('4')
    expect(texts(await take(messages, 3))).toEqual(['2', '3', '4'])
  })

  test('of a room that keeps nothing is told what it missed', async () => {
    const slug = await board()
    const ann = await (await open()).join(`demo/${slug}`)
    const { client, cut } = await fragile()
    const room = await client.join(`demo/${slug}`)
    const messages = room.messages()
    await ann.send('1')
    expect((await messages.next()).value).toMatchObject({ text: '1' })
    const back = next(client, 'reconnected')
    const gap = new Promise<Lost>((resolve) => room.on('gap', resolve))
    await cut()
    await ann.send('2')
    expect((await back).rooms).toMatchObject([{ recovered: false }])
    expect(await gap).toMatchObject({ from: 2n, to: 2n, code: 'NO_HISTORY' })
    await ann.send('3')
    const [three] = await take(messages, 1)
    expect(three).toMatchObject({ text: '3', lost: { from: 2n, to: 2n } })
  })

  test('of a client misses nothing that was sent to the client', async () => {
    await board()
    const { client, cut } = await fragile()
    const messages = client.messages()
    const to = `client:demo/anna-${rooms}`
    const bob = await open({ token: await hub.token('demo', ['first'], { client: 'bob' }) })
    await bob.send(to, '1')
    const back = next(client, 'reconnected')
    await cut()
    await bob.send(to, '2')
    await bob.send(to, '3')
    await back
    await bob.send(to, '4')
    expect(texts(await take(messages, 4))).toEqual(['1', '2', '3', '4'])
  })
})

describe('who is there', () => {
  test('is listed, told as it changes, and counted', async () => {
    const slug = await board({
      case: 'presence',
      value: { enabled: true, intervalMs: 100 },
    } as never)
    const ann = await (await open()).join(`demo/${slug}`, { presence: true })
    const guests = new Promise<Presence>((resolve) =>
      ann.on('presence', (change) => {
        if (change.joined.some(({ address }) => address.endsWith('guest'))) resolve(change)
      }),
    )
    const secret = await hub.token('demo', [slug], { client: 'guest' })
    const guest = await open({ token: secret })
    await (await guest.join(`demo/${slug}/cell`)).send('x')
    expect((await guests).joined).toContainEqual({ address: 'client:demo/guest', sockets: 1 })
    const here = await collect(ann.members())
    expect(here.map(({ address }) => address)).toContain('client:demo/guest')
    const stats = await collect(guest.stats(`demo/${slug}`))
    expect(stats[0]).toMatchObject({ address: `room:demo/${slug}`, sockets: 2, messages: 1n })
    expect(stats.map(({ address }) => address)).toContain(`room:demo/${slug}/cell`)
  })
})

test('a newcomer gets what those who are there have said, until they leave', async () => {
  const block = { case: 'sessionHistory', value: { owners: Owners.ASKED } } as never
  const slug = await board(block)
  const renderer = await open()
  const canvas = await renderer.join(`demo/${slug}`, { replayed: true })
  for (const letter of 'ABC') await canvas.send(letter)
  const newcomer = await (await open()).join(`demo/${slug}`)
  const heard = await take(newcomer.messages(), 3)
  expect(texts(heard)).toEqual(['A', 'B', 'C'])
  expect(heard.map(({ replay }) => replay)).toEqual(['session', 'session', 'session'])
})

test('last values come first', async () => {
  const slug = await board({ case: 'retained', value: {} } as never)
  const ann = await (await open()).join(`demo/${slug}`)
  await ann.send('old', { channel: 'a', retain: true })
  await ann.send('new', { channel: 'a', retain: true })
  await ann.send('passing', { channel: 'b' })
  const room = await (await open()).join(`demo/${slug}`)
  const messages = room.messages()
  await ann.send('live', { channel: 'b' })
  expect(await take(messages, 2)).toMatchObject([
    { text: 'new', channel: 'a', replay: 'retained' },
    { text: 'live', channel: 'b' },
  ])
})
