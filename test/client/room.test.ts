import { Code } from '@porthouse/proto/v1/code'
import { Quality } from '@porthouse/proto/v1/envelope'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Client, connect } from '../../clients/ts/src/index.ts'
import { drop, joined, type Line, message, Peer } from '../support/peer.ts'

let peer: Peer
let line: Line
let client: Client
beforeEach(async () => {
  peer = await Peer.start()
  const connecting = connect(peer.url)
  line = await peer.line()
  await line.welcome()
  client = await connecting
})
afterEach(async () => {
  await client.close()
  await peer.stop()
})

/** Joins, with the frames given in the packet of the answer. */
async function join(address: string, facts = {}, ...frames: ReturnType<typeof message>[]) {
  const joining = client.join(address)
  const { id, value } = await line.frame('room')
  const asked = value.action.value as { address: string }
  line.send(joined(id, asked.address, facts), ...frames)
  return await joining
}

/** So many messages of a loop. */
async function take<T>(messages: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = []
  for await (const each of messages) if (taken.push(each) === count) break
  return taken
}

describe('joining', () => {
  test('gives the room as the gateway names it', async () => {
    const joining = client.join('acme/boiler/temp')
    const { id, value } = await line.frame('room')
    expect(value.action).toMatchObject({
      case: 'join',
      value: { address: 'room:acme/boiler/temp', sendOnly: false },
    })
    line.send(joined(id, 'room:acme/boiler/temp', { maySend: false }))
    const room = await joining
    expect(room).toMatchObject({ address: 'room:acme/boiler/temp', maySend: false })
    expect(room.listening).toBe(true)
  })

  test('a room that was joined is given again without asking', async () => {
    const room = await join('room:acme/boiler')
    expect(await client.join('acme/boiler')).toBe(room)
    expect(await client.join('acme/boiler', { sendOnly: true })).toBe(room)
  })

  test('to send only hears nothing, though a channel of the room is heard', async () => {
    const channel = await join('room:acme/boiler/temp')
    const joining = client.join('room:acme/boiler', { sendOnly: true })
    const { id } = await line.frame('room')
    // The gateway tells that this socket listens in the room, which it does: to the channel.
    line.send(joined(id, 'room:acme/boiler', { listening: true }))
    const room = await joining
    expect([channel.listening, room.listening]).toEqual([true, false])
  })

  test('rejects with the code of a drop', async () => {
    const joining = client.join('room:acme/nowhere')
    const { id } = await line.frame('room')
    line.send(drop(id, Code.ROOM_UNKNOWN))
    await expect(joining).rejects.toMatchObject({ code: 'ROOM_UNKNOWN', temporary: false })
  })

  test.each([true, false])('rejects at a lock and leaves it (with an id: %s)', async (withId) => {
    const joining = client.join('room:acme/boiler')
    const { id } = await line.frame('room')
    const challenge = { acceptor: 'token', place: 'room:acme/boiler' }
    line.send({
      id: withId ? id : 0,
      body: { case: 'lockStep', value: { step: { case: 'challenge', value: challenge } } },
    })
    await expect(joining).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    const { value } = await line.frame('room')
    expect(value.action).toMatchObject({ case: 'leave', value: { address: 'room:acme/boiler' } })
  })

  test('given up, it is left when the answer comes', async () => {
    const abort = new AbortController()
    const joining = client.join('room:acme/boiler', { signal: abort.signal })
    const { id } = await line.frame('room')
    abort.abort()
    await expect(joining).rejects.toThrow('aborted')
    line.send(joined(id, 'room:acme/boiler'))
    expect((await line.frame('room')).value.action.case).toBe('leave')
  })
})

describe('messages', () => {
  test('arrive with what the gateway stamped', async () => {
    const room = await join('room:acme/boiler', { epoch: 3n })
    const messages = room.messages()
    line.send(message('21.5', { channel: 'temp', sequence: 9n, timeMs: 1_700_000_000_000n }), {
      body: {
        case: 'envelope',
        value: {
          stamp: { id: new Uint8Array(16).fill(255), from: 'client:acme/bob', route: 1 },
          content: { case: 'payload', value: Uint8Array.of(1, 2) },
          headers: { __proto__x: '1', constructor: '2' },
          contentType: 'application/octet-stream',
          replyTo: 'socket:x',
          correlationId: Uint8Array.of(7),
          expiresAfter: 60,
          quality: Quality.AT_MOST_ONCE,
        },
      },
    })
    const [text, bytes] = await take(messages, 2)
    expect(text).toMatchObject({
      id: '00000000-0000-0000-0000-000000000001',
      from: 'socket:bbbbbbbbbbbbbbbb',
      address: 'room:acme/boiler/temp',
      channel: 'temp',
      sequence: 9n,
      epoch: 3n,
      time: new Date(1_700_000_000_000),
      text: '21.5',
    })
    expect(text!.payload).toEqual(new TextEncoder().encode('21.5'))
    expect(bytes).toMatchObject({
      id: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
      address: 'room:acme/boiler',
      payload: Uint8Array.of(1, 2),
      contentType: 'application/octet-stream',
      replyTo: 'socket:x',
      correlationId: Uint8Array.of(7),
      expiresAfter: 60,
      quality: 0,
    })
    for (const name of ['expiresAfter', 'quality']) expect(text).not.toHaveProperty(name)
    expect(bytes!.text).toBeUndefined()
    expect(Object.getPrototypeOf(bytes!.headers)).toBeNull()
    expect(Object.entries(bytes!.headers).sort()).toEqual([
      ['__proto__x', '1'],
      ['constructor', '2'],
    ])
  })

  test('in the packet that answers the join are not missed', async () => {
    const room = await join(
      'room:acme/boiler',
      {},
      message('first'),
      message('second', { sequence: 9n }),
    )
    const heard = await take(room.messages(), 2)
    expect(heard.map(({ text }) => text)).toEqual(['first', 'second'])
  })

  test('go to each listener of the room whose channel it is, and to the client', async () => {
    const whole = (await join('room:acme/boiler')).messages()
    const one = (await join('room:acme/boiler/a')).messages()
    const level = (await join('room:acme/boiler/*')).messages()
    const all = client.messages()
    line.send(
      message('room'),
      message('a', { channel: 'a', sequence: 9n }),
      message('b', { channel: 'b', sequence: 10n }),
      message('deep', { channel: 'a/b', sequence: 11n }),
      message('direct', { route: 0, target: 'socket:aaaaaaaaaaaaaaaa' }),
    )
    const texts = async (messages: typeof all, count: number) =>
      (await take(messages, count)).map(({ text }) => text)
    expect(await texts(whole, 4)).toEqual(['room', 'a', 'b', 'deep'])
    expect(await texts(one, 1)).toEqual(['a'])
    expect(await texts(level, 2)).toEqual(['a', 'b'])
    expect(await texts(all, 5)).toEqual(['room', 'a', 'b', 'deep', 'direct'])
  })

  test('that were lost are told, by event and with the next message', async () => {
    const room = await join('room:acme/boiler')
    const messages = room.messages()
    const events: object[] = []
    client.on('lost', (lost) => events.push(lost))
    const value = { route: 1, fromSequence: 8n, toSequence: 12n, count: 4, code: 72 } as const
    line.send(
      { body: { case: 'room', value: { action: { case: 'lost', value } } } },
      message('after', { sequence: 13n }),
      message('later', { sequence: 14n }),
    )
    const lost = {
      address: 'room:acme/boiler',
      epoch: 1n,
      from: 8n,
      to: 12n,
      count: 4,
      code: 'SLOW_CONSUMER',
    }
    const [after, later] = await take(messages, 2)
    expect(after!.lost).toEqual(lost)
    expect(later!.lost).toBeUndefined()
    expect(events).toEqual([lost])
  })

  test('over the buffer of a slow loop end it, after what was waiting', async () => {
    const room = await join('room:acme/boiler')
    const slow = room.messages({ bufferBytes: 2000 })
    const fast = room.messages()
    line.send(
      ...['1', '2', '3', '4', '5', '6'].map((text) =>
        message(text, { sequence: 7n + BigInt(text) }),
      ),
    )
    expect(await take(fast, 6)).toHaveLength(6)
    const heard: (string | undefined)[] = []
    const loop = async () => {
      for await (const { text } of slow) heard.push(text)
    }
    await expect(loop()).rejects.toMatchObject({ code: 'SLOW_CONSUMER' })
    expect(heard).toEqual(['1', '2', '3'])
  })

  test('a signal ends a loop with its reason', async () => {
    const room = await join('room:acme/boiler')
    const abort = new AbortController()
    const waiting = room.messages({ signal: abort.signal }).next()
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(room.messages({ signal: abort.signal }).next()).rejects.toThrow('enough')
  })
})

describe('leaving', () => {
  test('ends the loops of the room and of its channels', async () => {
    const room = await join('room:acme/boiler')
    const channel = await join('room:acme/boiler/a')
    const loops = [room.messages().next(), channel.messages().next()]
    const leaving = room.leave()
    const { id } = await line.frame('room')
    const left = { address: 'room:acme/boiler' }
    line.send({ id, body: { case: 'room', value: { action: { case: 'left', value: left } } } })
    await leaving
    expect(await Promise.all(loops)).toEqual(Array(2).fill({ done: true, value: undefined }))
    await expect(room.send('x')).rejects.toMatchObject({ code: 'CLOSED' })
    await room.leave()
  })

  test('by the gateway is told with its code', async () => {
    const room = await join('room:acme/boiler')
    const drops: { address?: string }[] = []
    client.on('drop', (event) => drops.push(event))
    const next = room.messages().next()
    const left = { address: 'room:acme/boiler', code: Code.ENTRY_NOT_PERMITTED }
    line.send({ body: { case: 'room', value: { action: { case: 'left', value: left } } } })
    await expect(next).rejects.toMatchObject({ code: 'ENTRY_NOT_PERMITTED' })
    await expect(room.send('x')).rejects.toMatchObject({ code: 'ENTRY_NOT_PERMITTED' })
    expect(drops).toMatchObject([{ address: 'room:acme/boiler' }])
  })
})
