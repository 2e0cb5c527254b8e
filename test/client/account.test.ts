/** What a client asks of the gateway besides messages, by a gateway whose frames the test says. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import type { CommandSchema } from '@porthouse/proto/v1/command'
import type { EventSchema } from '@porthouse/proto/v1/event'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Client, connect, type GatewayEvent } from '../../clients/ts/src/index.ts'
import { drop, joined, type Line, ManualClock, message, Peer } from '../support/peer.ts'

let peer: Peer
let clock: ManualClock
let client: Client
let line: Line
beforeEach(async () => {
  peer = await Peer.start()
  clock = new ManualClock()
  const connecting = connect(peer.url, { clock, backoff: { baseMs: 1 } })
  line = await peer.line()
  await line.welcome()
  client = await connecting
})
afterEach(async () => {
  await client.close()
  await peer.stop()
})

type Action = NonNullable<MessageInitShape<typeof CommandSchema>['action']>

function answer(id: number, action: Action) {
  return { id, body: { case: 'command' as const, value: { action } } }
}

/** The next question, which must be of this kind. */
async function asked<Kind extends Action['case']>(kind: Kind) {
  const { id, value } = await line.frame('command')
  expect(value.action.case).toBe(kind)
  return { id, value: value.action.value }
}

async function collect<T>(of: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const each of of) all.push(each)
  return all
}

describe('lists', () => {
  test('of sockets come a page at a time, as the loop needs them', async () => {
    const loop = client.sockets('lobby:acme')
    const first = loop.next()
    const one = await asked('listSockets')
    expect(one.value).toMatchObject({ of: 'lobby:acme', after: '' })
    const socket = {
      socket: 'socket:a',
      identities: ['client:acme/anna'],
      rooms: [{ address: 'room:acme/boiler', maySend: true }],
      openedMs: 1000n,
      locks: ['tty'],
      self: true,
    }
    line.send(answer(one.id, { case: 'sockets', value: { sockets: [socket], more: true } }))
    expect((await first).value).toEqual({
      socket: 'socket:a',
      identities: ['client:acme/anna'],
      rooms: [{ address: 'room:acme/boiler', maySend: true, listening: false, mayAdmit: false }],
      opened: new Date(1000),
      locks: ['tty'],
      self: true,
    })
    const second = loop.next()
    const two = await asked('listSockets')
    expect(two.value).toMatchObject({ of: 'lobby:acme', after: 'socket:a' })
    line.send(answer(two.id, { case: 'sockets', value: { sockets: [] } }))
    expect((await second).done).toBe(true)
  })

  test('of rooms', async () => {
    const rooms = collect(client.rooms())
    const { id } = await asked('listRooms')
    const room = { address: 'room:acme/boiler', listening: true, mayAdmit: true }
    line.send(answer(id, { case: 'rooms', value: { rooms: [room] } }))
    expect(await rooms).toEqual([{ ...room, maySend: false }])
  })

  test('that go in circles are left', async () => {
    const sockets = collect(client.sockets())
    for (let page = 0; page < 2; page++) {
      const { id } = await asked('listSockets')
      const value = { sockets: [{ socket: 'socket:a' }], more: true }
      line.send(answer(id, { case: 'sockets', value }))
    }
    await expect(sockets).rejects.toMatchObject({ code: 'FRAME_NOT_ALLOWED' })
    const empty = collect(client.rooms())
    const { id } = await asked('listRooms')
    line.send(answer(id, { case: 'rooms', value: { more: true } }))
    await expect(empty).rejects.toMatchObject({ code: 'FRAME_NOT_ALLOWED' })
  })
})

test.each([
  ['dropSocket', () => client.dropSocket('socket:a'), { socket: 'socket:a' }],
  ['admit', () => client.admit('lock:a', true), { lock: 'lock:a', admitted: true }],
  ['admit', () => client.admit('lock:a', false), { lock: 'lock:a', admitted: false }],
  ['watch', () => client.watch('lobby:acme'), { of: 'lobby:acme', stop: false }],
  ['watch', () => client.unwatch(), { of: '', stop: true }],
] as const)('%s is asked, and done or refused', async (kind, ask, value) => {
  const doing = ask()
  const { id, value: said } = await asked(kind)
  expect(said).toMatchObject(value)
  line.send(answer(id, { case: 'done', value: {} }))
  await doing
  const refused = ask()
  line.send(drop((await asked(kind)).id, Code.COMMAND_NOT_PERMITTED))
  await expect(refused).rejects.toMatchObject({ code: 'COMMAND_NOT_PERMITTED', temporary: false })
})

test('another kind of answer than was asked for is a fault', async () => {
  const dropping = client.dropSocket('socket:a')
  const { id } = await asked('dropSocket')
  line.send(answer(id, { case: 'rooms', value: {} }))
  await expect(dropping).rejects.toMatchObject({ code: 'FRAME_NOT_ALLOWED' })
})

describe('events', () => {
  const event = (value: MessageInitShape<typeof EventSchema>) => ({
    body: { case: 'event' as const, value },
  })

  test('are told as they come, those of later gateways too', async () => {
    const events: GatewayEvent[] = []
    const two = new Promise<void>((resolve) => {
      client.on('event', (each) => {
        if (events.push(each) === 2) resolve()
      })
    })
    const identities = ['client:acme/anna']
    line.send(
      event({ kind: 4, socket: 'socket:a', identities, code: Code.KICKED, timeMs: 1000n }),
      event({ kind: 99 as never, detail: 'news', lock: 'lock:a', acceptor: 'knock' }),
    )
    await two
    expect(events).toEqual([
      {
        kind: 'DROPPED',
        socket: 'socket:a',
        identities,
        code: 'KICKED',
        time: new Date(1000),
        detail: '',
      },
      {
        kind: 'UNKNOWN',
        identities: [],
        lock: 'lock:a',
        acceptor: 'knock',
        time: new Date(0),
        detail: 'news',
      },
    ])
  })

  test('that were asked for are asked for again after a reconnection', async () => {
    for (const of of ['lobby:acme', 'client:acme/anna']) {
      const watching = client.watch(of)
      line.send(answer((await asked('watch')).id, { case: 'done', value: {} }))
      await watching
    }
    const ending = client.unwatch('lobby:acme')
    line.send(answer((await asked('watch')).id, { case: 'done', value: {} }))
    await ending
    const away = new Promise((resolve) => client.on('reconnecting', resolve))
    line.cut()
    await away
    clock.advance(10)
    line = await peer.line()
    await line.welcome()
    const { value } = await asked('watch')
    expect(value).toMatchObject({ of: 'client:acme/anna', stop: false })
  })
})

test('a lobby is joined like a room, and sent to', async () => {
  const joining = client.join('lobby:acme')
  const { id, value } = await line.frame('room')
  expect(value.action).toMatchObject({ value: { address: 'lobby:acme' } })
  line.send(joined(id, 'lobby:acme', { route: 0 }))
  const lobby = await joining
  const messages = lobby.messages()
  line.send(message('no echo', { route: 0, target: 'client:acme/anna' }))
  line.send(message('echo', { route: 0, target: 'lobby:acme' }))
  expect((await messages.next()).value).toMatchObject({ text: 'echo', address: 'lobby:acme' })
  void lobby.send('hello', { as: 'client:acme/anna' }).catch(() => {})
  const { value: envelope } = await line.frame('envelope')
  const routing = { route: 0, to: ['lobby:acme'], acting: 'client:acme/anna' }
  expect(envelope.routing).toMatchObject(routing)
})
