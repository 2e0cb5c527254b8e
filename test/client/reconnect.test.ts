import { Code } from '@porthouse/proto/v1/code'
import type { Envelope } from '@porthouse/proto/v1/envelope'
import type { Frame } from '@porthouse/proto/v1/frame'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Client, type ClientEvents, connect } from '../../clients/ts/src/index.ts'
import {
  drop,
  type FrameInit,
  joined,
  type Line,
  ManualClock,
  message,
  Peer,
  receipt,
} from '../support/peer.ts'

let peer: Peer
let clock: ManualClock
let client: Client | undefined
beforeEach(async () => {
  peer = await Peer.start()
  clock = new ManualClock()
})
afterEach(async () => {
  await client?.close()
  client = undefined
  expect(clock.pending).toBe(0)
  await peer.stop()
})

/** Connects with waits of half their bound: 125 ms first, 250 ms next. */
async function open(options = {}, path = ''): Promise<{ client: Client; line: Line }> {
  const connecting = connect(`${peer.url}${path}`, {
    token: 'secret',
    clock,
    backoff: { random: () => 0.5 },
    ...options,
  })
  const line = await peer.line()
  if (path) line.send(joined(0, `room:${path.slice(1)}`))
  await line.welcome()
  client = await connecting
  return { client, line }
}

function next<Name extends keyof ClientEvents>(client: Client, name: Name) {
  return new Promise<ClientEvents[Name]>((resolve) => {
    const off = client.on(name, (event) => {
      off()
      resolve(event)
    })
  })
}

async function join(client: Client, line: Line, address: string, route = 1) {
  const joining = client.join(address)
  const { id } = await line.frame('room')
  line.send(joined(id, address, { route }))
  return await joining
}

/** The next connection, once the wait is over. */
async function back(event: Promise<ClientEvents['reconnecting']>): Promise<Line> {
  clock.advance((await event).delayMs)
  return await peer.line()
}

/** Ids of the Joins in a first packet, by address. */
function idsOf(frames: Frame[]): Map<string, number> {
  return new Map(
    frames.flatMap(({ id, body }) => {
      const action = body.case === 'room' ? body.value.action : undefined
      return action?.case === 'join' ? [[action.value.address, id] as const] : []
    }),
  )
}

const caughtUp = (address: string): FrameInit => ({
  body: {
    case: 'room',
    value: { action: { case: 'caughtUp', value: { route: 1, address, sequence: 8n } } },
  },
})

describe('a lost connection', () => {
  test('is made again after the backoff, and its rooms with its first packet', async () => {
    const { client, line } = await open()
    const room = await join(client, line, 'room:acme/boiler', 3)
    const messages = room.messages()
    const lost = next(client, 'reconnecting')
    line.cut()
    expect(await lost).toMatchObject({ attempt: 1, delayMs: 125, error: { code: 'UNAVAILABLE' } })
    expect(client.socket).toBe('')
    const again = next(client, 'reconnected')
    const second = await back(lost)
    const frames = await second.welcome({ sequence: 40n, socket: 'socket:second' })
    expect(frames.map(({ body }) => body.case)).toEqual(['hello', 'lockStep', 'room'])
    expect(await again).toEqual({
      socket: 'socket:second',
      rooms: [{ address: 'room:acme/boiler', epoch: 1n, sequence: 40n, recovered: false }],
    })
    // The route is another one now, for sending and for hearing.
    second.send(message('hello', { route: 1, sequence: 41n }))
    expect((await messages.next()).value).toMatchObject({ text: 'hello' })
    void room.send('x').catch(() => {})
    expect((await second.frame('envelope')).value.routing!.route).toBe(1)
  })

  test('of a room by its path is entered by its path', async () => {
    const { client, line } = await open({}, '/demo/hello')
    const lost = next(client, 'reconnecting')
    line.cut()
    const again = next(client, 'reconnected')
    const second = await back(lost)
    second.send(joined(0, 'room:demo/hello', { epoch: 2n, sequence: 0n }))
    const frames = await second.welcome()
    expect(frames.map(({ body }) => body.case)).toEqual(['hello', 'lockStep'])
    expect((await again).rooms).toMatchObject([{ address: 'room:demo/hello', epoch: 2n }])
  })

  test('is tried again and again, each time later', async () => {
    const { client, line } = await open()
    let lost = next(client, 'reconnecting')
    line.cut()
    for (const delayMs of [125, 250, 500]) {
      expect((await lost).delayMs).toBe(delayMs)
      const second = await back(lost)
      lost = next(client, 'reconnecting')
      second.cut()
    }
  })

  test('starts from the shortest wait only after one that lasted', async () => {
    const { client, line } = await open()
    let lost = next(client, 'reconnecting')
    line.cut()
    let second = await back(lost)
    let again = next(client, 'reconnected')
    await second.welcome()
    await again
    lost = next(client, 'reconnecting')
    second.cut()
    expect((await lost).delayMs).toBe(250)
    again = next(client, 'reconnected')
    second = await back(lost)
    await second.welcome()
    await again
    clock.advance(20_000)
    lost = next(client, 'reconnecting')
    second.cut()
    expect((await lost).delayMs).toBe(125)
  })

  test('is not made again where that was not wanted', async () => {
    const { client, line } = await open({ reconnect: false })
    const closed = next(client, 'closed')
    const loop = client.messages().next()
    line.cut()
    expect((await closed).error).toMatchObject({ code: 'UNAVAILABLE', temporary: true })
    await expect(loop).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(client.send('acme/boiler', 'x')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  test('is not made again once the client is closed while it waits', async () => {
    const { client, line } = await open()
    const lost = next(client, 'reconnecting')
    line.cut()
    await lost
    const sending = client.send('acme/boiler', 'x')
    await client.close()
    await expect(sending).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('the close code', () => {
  test.each([1001, 1011, 1012, 1013, 4000, 4005, 4499])('%i reconnects', async (code) => {
    const { client, line } = await open()
    const lost = next(client, 'reconnecting')
    line.close(code)
    expect((await lost).error.temporary).toBe(true)
  })

  test.each([
    [1000, 'CLOSED'],
    [1003, 'WRONG_DATA_TYPE'],
    [1009, 'PACKET_TOO_LARGE'],
    [3000, 'CLOSED'],
    [4539, 'ROOM_UNKNOWN'],
    [4999, 'CLOSED'],
  ])('%i is final', async (close, code) => {
    const { client, line } = await open()
    const closed = next(client, 'closed')
    line.close(close)
    expect((await closed).error).toMatchObject({ code, temporary: false })
  })
})

describe('a drop', () => {
  test('with a temporary code waits at least as long as it says', async () => {
    const { client, line } = await open()
    const lost = next(client, 'reconnecting')
    const dropped = next(client, 'drop')
    line.send(drop(0, Code.DRAINING, 3000))
    line.close(1012)
    expect(await dropped).toMatchObject({ error: { code: 'DRAINING', retryAfterMs: 3000 } })
    expect(await lost).toMatchObject({ delayMs: 3125, error: { code: 'DRAINING' } })
  })

  test('with a final code ends it', async () => {
    const { client, line } = await open()
    const closed = next(client, 'closed')
    line.send(drop(0, Code.TOKEN_EXPIRED))
    line.close(4551)
    expect((await closed).error).toMatchObject({ code: 'TOKEN_EXPIRED' })
  })

  test('with a code of a later version goes by the range of the close code', async () => {
    const { client, line } = await open()
    const lost = next(client, 'reconnecting')
    line.send(drop(0, 9999 as Code))
    line.close(4400)
    expect((await lost).error).toMatchObject({ temporary: true })
  })

  test('without a close after it is taken at its word', async () => {
    const { client, line } = await open()
    const dropped = next(client, 'drop')
    const lost = next(client, 'reconnecting')
    line.send(drop(0, Code.DRAINING))
    await dropped
    clock.advance(1000)
    expect((await lost).error.code).toBe('DRAINING')
  })
})

describe('what was in flight', () => {
  test('is sent again with its key, before what was said since, and settles once', async () => {
    const { client, line } = await open()
    const room = await join(client, line, 'room:acme/boiler')
    const first = room.send('first')
    const { value: before } = await line.frame('envelope')
    const lost = next(client, 'reconnecting')
    line.cut()
    await lost
    const second = room.send('second')
    const third = client.send('client:acme/bob', 'third', { level: 'none' })
    const again = await back(lost)
    await again.welcome()
    const frames = await again.packet()
    const envelopes = frames.map(({ body }) => body.value as Envelope)
    expect(envelopes.map(({ content }) => content.value)).toEqual(['first', 'second', 'third'])
    expect(before.routing!.idempotencyKey).not.toBe('')
    expect(envelopes[0]!.routing!.idempotencyKey).toBe(before.routing!.idempotencyKey)
    expect(envelopes[1]!.routing!.idempotencyKey).not.toBe(before.routing!.idempotencyKey)
    again.send(
      receipt(frames[0]!.id, { status: ReceiptStatus.DUPLICATE, sockets: 1 }),
      receipt(frames[1]!.id),
    )
    expect((await first).status).toBe('DUPLICATE')
    expect((await second).status).toBe('ROUTED')
    expect(await third).toBeUndefined()
  })

  test('without a token is of unknown fate, since a new socket has no old keys', async () => {
    const { client, line } = await open({ token: undefined })
    const first = client.send('acme/boiler', 'first')
    await line.frame('envelope')
    const lost = next(client, 'reconnecting')
    line.cut()
    await expect(first).rejects.toMatchObject({ code: 'UNAVAILABLE', temporary: true })
    await lost
    const second = client.send('acme/boiler', 'second')
    const again = await back(lost)
    await again.welcome()
    expect(
      (await again.receipts()).map(({ body }) => (body.value as Envelope).content.value),
    ).toEqual(['second'])
    expect((await second).status).toBe('ROUTED')
  })

  test('is bounded while away too', async () => {
    const { client, line } = await open({ queueBytes: 2000 })
    const lost = next(client, 'reconnecting')
    line.cut()
    await lost
    const waiting = client.send('acme/boiler', 'x'.repeat(1500))
    await expect(client.send('acme/boiler', 'x'.repeat(500))).rejects.toMatchObject({
      code: 'QUEUE_FULL',
    })
    const again = await back(lost)
    await again.welcome()
    await again.receipts()
    expect((await waiting).status).toBe('ROUTED')
  })

  test('and given up meanwhile is not sent again', async () => {
    const { client, line } = await open()
    const abort = new AbortController()
    const first = client.send('acme/boiler', 'first', { signal: abort.signal })
    await line.frame('envelope')
    const lost = next(client, 'reconnecting')
    line.cut()
    await lost
    abort.abort()
    await expect(first).rejects.toThrow('aborted')
    const second = client.send('acme/boiler', 'second')
    const again = await back(lost)
    await again.welcome()
    expect(await again.receipts()).toHaveLength(1)
    await second
  })

  test('a join asked for while away is answered after', async () => {
    const { client, line } = await open()
    const lost = next(client, 'reconnecting')
    line.cut()
    await lost
    const joining = client.join('acme/boiler')
    const again = await back(lost)
    await again.welcome()
    const { id } = await again.frame('room')
    again.send(joined(id, 'room:acme/boiler'))
    expect((await joining).address).toBe('room:acme/boiler')
  })
})

describe('coming back', () => {
  test('brings what one listener has had to no reader of all again', async () => {
    const { client, line } = await open()
    const heard: string[] = []
    const loop = client.messages()
    void (async () => {
      for await (const { text } of loop) heard.push(text!)
    })()
    const [hall, news] = ['room:acme/hall', 'room:acme/hall/news']
    await join(client, line, hall)
    await join(client, line, news)
    const stamp = { channel: 'news', replay: 1 }
    const backlog = { recovered: true, afterSequence: 7n }
    const lost = next(client, 'reconnecting')
    line.cut()
    const second = await back(lost)
    const ids = idsOf(await second.packet())
    const again = next(client, 'reconnecting')
    second.send(joined(ids.get(hall)!, hall, { backlog }), message('once', stamp))
    await expect.poll(() => heard).toEqual(['once'])
    second.cut()
    const third = await back(again)
    const idsNow = idsOf(await third.packet())
    // The other one is back before the one that has had it.
    third.send(joined(idsNow.get(news)!, news, { backlog }), message('once', stamp))
    third.send(caughtUp(news))
    third.send(joined(idsNow.get(hall)!, hall, { backlog: { ...backlog, afterSequence: 8n } }))
    third.send(caughtUp(hall), message('then', { sequence: 9n }))
    await expect.poll(() => heard).toContain('then')
    expect(heard).toEqual(['once', 'then'])
  })

  test('to a room that is gone ends that room alone', async () => {
    const { client, line } = await open()
    const gone = await join(client, line, 'room:acme/gone', 1)
    await join(client, line, 'room:acme/here', 2)
    const loop = gone.messages().next()
    const lost = next(client, 'reconnecting')
    line.cut()
    await lost
    const sending = gone.send('x')
    const again = next(client, 'reconnected')
    const dropped = next(client, 'drop')
    const second = await back(lost)
    const [hello, step, first, other] = await second.packet()
    second.send(
      { id: hello!.id, body: { case: 'welcome', value: {} } },
      { id: step!.id, body: { case: 'lockStep', value: { step: passed } } },
      drop(first!.id, Code.ROOM_UNKNOWN),
      joined(other!.id, 'room:acme/here'),
    )
    expect((await again).rooms.map(({ address }) => address)).toEqual(['room:acme/here'])
    expect(await dropped).toMatchObject({ address: 'room:acme/gone' })
    await expect(loop).rejects.toMatchObject({ code: 'ROOM_UNKNOWN' })
    await expect(sending).rejects.toMatchObject({ code: 'ROOM_UNKNOWN' })
  })

  test('to a gateway that cannot say yet is tried again later', async () => {
    const { client, line } = await open()
    await join(client, line, 'room:acme/boiler')
    let lost = next(client, 'reconnecting')
    line.cut()
    const second = await back(lost)
    lost = next(client, 'reconnecting')
    const frames = await second.packet()
    second.send(drop(frames[2]!.id, Code.UNAVAILABLE))
    expect((await lost).error.code).toBe('UNAVAILABLE')
  })

  test('with a token that was revoked meanwhile ends it', async () => {
    const { client, line } = await open()
    const lost = next(client, 'reconnecting')
    line.cut()
    await lost
    const sending = client.send('acme/boiler', 'x')
    const closed = next(client, 'closed')
    const second = await back(lost)
    const [, step] = await second.packet()
    const failed = { case: 'verdict', value: { outcome: 2, code: Code.UNAUTHENTICATED } } as const
    second.send({ id: step!.id, body: { case: 'lockStep', value: { step: failed } } })
    expect((await closed).error).toMatchObject({ code: 'UNAUTHENTICATED' })
    await expect(sending).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  test('with many rooms asks for the rest once the token is proved', async () => {
    const { client, line } = await open()
    for (let room = 0; room < 40; room++)
      await join(client, line, `room:acme/room-${room}`, room + 1)
    const lost = next(client, 'reconnecting')
    line.cut()
    const again = next(client, 'reconnected')
    const second = await back(lost)
    expect(await second.welcome()).toHaveLength(2 + 32)
    const rest = await second.packet()
    expect(rest).toHaveLength(8)
    second.send(...rest.map(({ id }, index) => joined(id, `room:acme/room-${32 + index}`)))
    expect((await again).rooms).toHaveLength(40)
  })
})

const passed = { case: 'verdict', value: { outcome: 1 } } as const
