/** What a socket may do in a room, by all that it has proved, and how much of it. */
import type { Joined } from '@porthouse/proto/v1/room'
import { beforeEach, describe, expect, test } from 'vitest'
import { answer, join, leave, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'

let hall: Hall

beforeEach(() => {
  hall = new Hall({ limits: { rooms: 2, subscriptions: 3 } })
  for (const room of ['boiler', 'attic', 'cellar']) hall.store.room(`acme/${room}`)
  hall.store.room('other/room')
  hall.store.room('acme/yard', OPEN)
})

async function hears(guest: Guest): Promise<string[]> {
  await hall.settle()
  return guest.heard()
}

async function holder(...secrets: string[]): Promise<Guest> {
  const guest = hall.open()
  for (const [i, secret] of secrets.entries()) guest.say(answer(i + 1, secret))
  await hall.settle()
  guest.take()
  return guest
}

async function joins(guest: Guest, address: string, sendOnly = false): Promise<Joined> {
  guest.say(join(9, address, sendOnly))
  await hall.settle()
  const action = guest
    .take()
    .flatMap(({ body }) => (body.case === 'room' ? [body.value.action] : []))
  const last = action.at(-1)
  if (last?.case !== 'joined') throw new Error('not joined')
  return last.value
}

describe('a token', () => {
  const token = (rights: object) => hall.store.token('acme', ['boiler'], rights)

  test('to send cannot listen, and listens to nothing', async () => {
    const guest = await holder(token({ receive: false }))
    guest.say(join(2, 'room:acme/boiler'), join(3, 'room:acme/boiler', true), text(4, 'hi'))
    expect(await hears(guest)).toEqual([
      '2 drop RECEIVE_NOT_PERMITTED',
      '3 joined room:acme/boiler',
      '4 receipt VOID 0',
    ])
    const other = await holder(token({}))
    await joins(other, 'room:acme/boiler')
    other.say(text(2, 'hi'))
    await hall.settle()
    expect(guest.take()).toEqual([])
  })

  test('to receive cannot send, nor enter to send', async () => {
    const guest = await holder(token({ send: false }))
    expect(await joins(guest, 'room:acme/boiler')).toMatchObject({
      maySend: false,
      listening: true,
    })
    guest.say(text(2, 'hi'), join(3, 'room:acme/boiler', true))
    expect(await hears(guest)).toEqual([
      '2 receipt REJECTED SEND_NOT_PERMITTED',
      '3 drop SEND_NOT_PERMITTED',
    ])
  })

  test('for another room of the account does not enter', async () => {
    const guest = await holder(token({}))
    guest.say(join(2, 'room:acme/attic'))
    expect(await hears(guest)).toEqual(['2 drop ENTRY_NOT_PERMITTED'])
  })
})

describe('several tokens on one socket', () => {
  test('add up, over rooms, rights and accounts', async () => {
    const guest = await holder(
      hall.store.token('acme', ['boiler'], { send: false }),
      hall.store.token('acme', ['boiler'], { receive: false }),
      hall.store.token('other', ['room']),
    )
    expect(await joins(guest, 'room:acme/boiler')).toMatchObject({ maySend: true, listening: true })
    expect(await joins(guest, 'room:other/room')).toMatchObject({ maySend: true, listening: true })
    expect([...guest.session.accounts]).toEqual(expect.arrayContaining(['acme', 'other']))
  })

  test('a right proved later counts from the next Join on (R26)', async () => {
    const guest = await holder(hall.store.token('acme', ['boiler'], { send: false }))
    expect(await joins(guest, 'room:acme/boiler')).toMatchObject({ maySend: false })
    guest.say(answer(2, hall.store.token('acme', ['boiler'])), text(3, 'hi'))
    expect((await hears(guest)).at(-1)).toBe('3 receipt REJECTED SEND_NOT_PERMITTED')
    expect(await joins(guest, 'room:acme/boiler/temp')).toMatchObject({ maySend: true })
    guest.say(text(3, 'hi'))
    expect(await hears(guest)).toEqual(['3 receipt VOID 0'])
  })

  test('the same one again and again is one', async () => {
    const secret = hall.store.token('acme', ['boiler'])
    const guest = await holder(...Array<string>(20).fill(secret))
    expect(guest.session.proofs).toHaveLength(1)
  })

  test('the first client is whom it acts as, and all of them are reached (R8)', async () => {
    const guest = await holder(
      hall.store.token('acme', ['boiler']),
      hall.store.token('acme', ['boiler'], { client: 'ann' }),
      hall.store.token('acme', ['boiler'], { client: 'bob' }),
    )
    expect(guest.session.client).toBe('client:acme/ann')
    expect(hall.graph.socketsOf('client:acme/ann').size).toBe(1)
    expect(hall.graph.socketsOf('client:acme/bob').size).toBe(1)
    guest.vanish()
    for (const client of ['ann', 'bob']) {
      expect(hall.graph.socketsOf(`client:acme/${client}`).size).toBe(0)
    }
  })

  test('keys are of the client, else of the first token', async () => {
    const plain = hall.store.token('acme', ['yard'])
    const ann = [1, 2].map(() => hall.store.token('acme', ['yard'], { client: 'ann' }))
    const once = text(5, 'hi', { to: ['room:acme/yard'], idempotencyKey: 'k' })
    const statuses: string[] = []
    for (const secrets of [[plain], [plain], [ann[0]!], [ann[1]!], [plain, ann[0]!]]) {
      const guest = await holder(...secrets)
      guest.say(once)
      statuses.push(...(await hears(guest)))
      guest.vanish()
    }
    expect(statuses.map((line) => line.split(' ')[2])).toEqual([
      'VOID',
      'DUPLICATE',
      'VOID',
      'DUPLICATE',
      'DUPLICATE',
    ])
  })
})

describe('a client', () => {
  test("is reached by its slug and by UUIDs, its own and its account's", async () => {
    const secret = hall.store.token('acme', ['boiler'], { client: 'ann' })
    const [sender, ann] = [await holder(hall.store.token('acme', [])), await holder(secret)]
    const account = ann.session.proofs[0]!.account!.id
    const id = hall.store.clientId('ann')
    const names = ['acme/ann', `acme/${id}`, `${account}/ann`, `${account}/${id.toUpperCase()}`]
    for (const name of names) {
      sender.say(text(1, name, { to: [`client:${name}`] }))
      expect(await hears(sender)).toEqual(['1 receipt ROUTED 1'])
      expect(await hears(ann)).toEqual([`0 envelope ${name}`])
    }
    const to = names.map((name) => `client:${name}`)
    sender.say(text(1, 'once', { to }))
    expect(await hears(sender)).toEqual(['1 receipt ROUTED 1'])
    ann.vanish()
    // Its own channel keeps it for when it comes back (PH-16.11).
    sender.say(text(1, 'gone', { to }))
    expect(await hears(sender)).toEqual(['1 receipt ACCEPTED 0'])
  })
})

describe('subscriptions', () => {
  test('more channels of a room need no lock, and each message comes once (R11)', async () => {
    const guest = await holder(hall.store.token('acme', ['boiler']))
    const asked = hall.store.asked
    guest.say(join(2, 'room:acme/boiler/a'))
    await hall.settle()
    guest.say(join(3, 'room:acme/boiler/*'), join(4, 'room:acme/boiler/a'))
    expect(await hears(guest)).toEqual([
      '2 joined room:acme/boiler/a',
      '3 joined room:acme/boiler/*',
      '4 joined room:acme/boiler/a',
    ])
    expect(hall.store.asked).toBe(asked + 1)
    const other = await holder(hall.store.token('acme', ['boiler']))
    other.say(
      text(2, 'hi', { to: ['room:acme/boiler/a'] }),
      text(3, 'ho', { to: ['room:acme/boiler'] }),
    )
    expect(await hears(other)).toEqual(['2 receipt ROUTED 1', '3 receipt VOID 0'])
    expect(await hears(guest)).toEqual(['0 envelope hi'])
  })

  test('are left one by one, or all with the room [PH-7.8]', async () => {
    const guest = await holder(hall.store.token('acme', ['boiler']))
    const [room, a, b] = ['', '/a', '/b'].map((channel) => `room:acme/boiler${channel}`)
    guest.say(join(2, a!), join(3, b!), leave(4, a!), leave(5, a!), text(6, 'x'), leave(7, room!))
    guest.say(leave(8, room!), leave(9, 'room:acme/none'), text(10, 'nowhere'))
    expect((await hears(guest)).slice(2)).toEqual([
      `4 left ${a}`,
      `5 left ${a}`,
      '6 receipt VOID 0',
      `7 left ${room}`,
      `8 left ${room}`,
      '9 left room:acme/none',
      '10 receipt VOID 0',
    ])
    expect(guest.session.memberships.size).toBe(0)
    expect(hall.graph.place('acme/boiler')).toBeUndefined()
  })

  test('a route that was left is not one any more, nor in the next stay [PH-7.4]', async () => {
    const guest = await holder(hall.store.token('acme', ['boiler']))
    const first = await joins(guest, 'room:acme/boiler')
    guest.say(leave(2, 'room:acme/boiler'))
    await hears(guest)
    const second = await joins(guest, 'room:acme/boiler')
    expect(second.route).not.toBe(first.route)
    expect(second.epoch).not.toBe(first.epoch)
    guest.say(text(3, 'x', { route: first.route }), text(4, 'y', { route: second.route }))
    expect(await hears(guest)).toEqual(['3 receipt REJECTED ROUTE_UNKNOWN', '4 receipt VOID 0'])
  })

  test('are bounded in a room, and rooms in a socket [PH-7.9]', async () => {
    const guest = await holder(hall.store.token('acme', ['boiler', 'attic', 'cellar']))
    for (const channel of ['a', 'b', 'c']) await joins(guest, `room:acme/boiler/${channel}`)
    await joins(guest, 'room:acme/attic')
    guest.say(
      join(2, 'room:acme/boiler/d'),
      join(3, 'room:acme/boiler/c'),
      join(4, 'room:acme/cellar'),
      text(5, 'x', { to: ['room:acme/cellar'] }),
      leave(6, 'room:acme/boiler/a'),
      join(7, 'room:acme/boiler/d'),
      leave(8, 'room:acme/attic'),
      join(9, 'room:acme/cellar'),
    )
    expect(await hears(guest)).toEqual([
      '2 drop ROOM_LIMIT',
      '3 joined room:acme/boiler/c',
      '4 drop ROOM_LIMIT',
      '5 receipt REJECTED ROOM_LIMIT',
      '6 left room:acme/boiler/a',
      '7 joined room:acme/boiler/d',
      '8 left room:acme/attic',
      '9 joined room:acme/cellar',
    ])
    expect(hall.graph.place('acme/attic')).toBeUndefined()
  })

  test('a listener is told from where on it hears [PH-7.6]', async () => {
    const [ann, bob] = [hall.open('/acme/yard'), hall.open('/acme/yard')]
    await hears(ann)
    await hears(bob)
    ann.say(text(1, 'a'), text(2, 'b'))
    bob.say(leave(1, 'room:acme/yard'))
    ann.say(text(3, 'c'))
    const { sequence } = await joins(bob, 'room:acme/yard')
    expect(sequence).toBe(3n)
    ann.say(text(4, 'd'))
    await hall.settle()
    const [envelope] = bob.take()
    expect(envelope!.body.value).toMatchObject({ stamp: { sequence: 4n } })
  })
})
