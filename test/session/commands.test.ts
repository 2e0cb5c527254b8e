/** What a socket may ask about its own, an owner about his account, a stranger about nothing. */
import { Code } from '@porthouse/proto/v1/code'
import type { Sockets } from '@porthouse/proto/v1/command'
import { beforeEach, describe, expect, test } from 'vitest'
import { answer, join, text } from '../support/client-frames.ts'
import type { Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'
import { client, command, hallWithKeys, hears, line, owner, proveOwner } from '../support/staff.ts'

let hall: Hall

beforeEach(() => {
  hall = hallWithKeys()
  for (const room of ['boiler', 'attic']) hall.store.room(`acme/${room}`)
  hall.store.room('acme/yard', OPEN)
  hall.store.room('other/room')
})

async function asks(guest: Guest, ...frames: Parameters<Guest['say']>): Promise<string[]> {
  guest.say(...frames)
  return hears(hall, guest)
}

/** The first list of sockets that was said. */
async function socketsSaid(guest: Guest, of = ''): Promise<Sockets> {
  guest.say(command(1, 'listSockets', { of }))
  await hall.settle()
  for (const { body } of guest.take()) {
    if (body.case === 'command' && body.value.action.case === 'sockets') {
      return body.value.action.value
    }
  }
  throw new Error('no sockets')
}

const COMMANDS = [
  command(1, 'listSockets', {}),
  command(2, 'listSockets', { of: 'client:acme/ann' }),
  command(3, 'listRooms', { of: 'lobby:acme' }),
  command(4, 'dropSocket', { socket: 'socket:aaaaaaaaaaaaaaaa' }),
  command(5, 'admit', { lock: 'lock:aaaaaaaaaaaaaaaa', admitted: true }),
  command(6, 'watch', { of: 'lobby:acme' }),
]

describe('in limbo', () => {
  test('no command is answered, and nothing is looked up', async () => {
    const before = hall.store.asked
    const lines = await asks(hall.open(), ...COMMANDS)
    expect(lines).toEqual([1, 2, 3, 4, 5, 6].map((id) => `${id} drop UNAUTHENTICATED`))
    expect(hall.store.asked).toBe(before)
    const locked = hall.open('/acme/boiler')
    await hears(hall, locked)
    expect(await asks(locked, ...COMMANDS)).toEqual(lines)
  })

  test('what only a gateway sends ends the connection, and the unknown is told so', async () => {
    for (const kind of ['sockets', 'rooms', 'done'] as const) {
      const guest = hall.open().say(command(1, kind, {}))
      await hall.settle()
      expect(guest.ended).toBe(Code.FRAME_NOT_ALLOWED)
    }
    const guest = hall.open().say({ id: 7, body: { case: 'command', value: {} } })
    expect(await hears(hall, guest)).toEqual(['7 drop UNIMPLEMENTED'])
  })
})

describe('its own sockets', () => {
  test('are all of the clients and tokens that it is, with what each may do', async () => {
    const secret = hall.store.token('acme', ['boiler'], { client: 'ann', send: false })
    const ann = hall.open().say(answer(2, secret))
    const again = hall.open('/acme/boiler').say(answer(2, secret))
    const ann2 = await client(hall, ['attic'], { client: 'ann' })
    await client(hall, ['attic'], { client: 'bob' })
    await hall.settle()
    ann.take()
    const { sockets, more } = await socketsSaid(ann)
    expect(more).toBe(false)
    expect(sockets.map(({ socket }) => socket)).toEqual(
      [ann, again, ann2].map(({ session }) => session.address).toSorted(),
    )
    expect(sockets.filter(({ self }) => self).map(({ socket }) => socket)).toEqual([
      ann.session.address,
    ])
    const other = sockets.find(({ socket }) => socket === again.session.address)
    expect(other).toMatchObject({
      identities: ['client:acme/ann', expect.stringMatching(/^token:[0-9a-f-]{36}\/2$/)],
      rooms: [{ address: 'room:acme/boiler', maySend: false, listening: true, mayAdmit: false }],
      openedMs: BigInt(hall.now),
      locks: [],
    })
  })

  test('are asked for by any name of the client, by a token, and by one connection', async () => {
    const secret = hall.store.token('acme', ['boiler'], { maxConnections: 3 })
    const guests = [1, 2, 3].map(() => hall.open().say(answer(2, secret)))
    const [guest] = guests as [Guest]
    await hall.settle()
    const token = guest.session.proofs[0]!.token!.id
    expect((await socketsSaid(guest)).sockets).toHaveLength(3)
    expect((await socketsSaid(guest, `token:${token}`)).sockets).toHaveLength(3)
    expect((await socketsSaid(guest, `token:${token.toUpperCase()}/2`)).sockets).toMatchObject([
      { socket: guests[1]!.session.address },
    ])
    expect((await socketsSaid(guest, `token:${token}/9`)).sockets).toEqual([])
    const ann = await client(hall, [], { client: 'ann' })
    const id = hall.store.clientId('ann')
    for (const name of ['acme/ann', `acme/${id}`]) {
      expect((await socketsSaid(ann, `client:${name}`)).sockets).toMatchObject([{ self: true }])
    }
  })

  test('tell nothing of accounts that the asker is not of (A15)', async () => {
    const both = hall.open()
    both.say(answer(1, hall.store.token('acme', ['boiler'], { client: 'ann' })))
    both.say(answer(2, hall.store.token('other', ['room'], { client: 'zoe' })))
    both.say(join(3, 'room:acme/boiler'), join(4, 'room:other/room'))
    hall.store.room('third/room')
    both.say(join(5, 'room:third/room'))
    const ann = await client(hall, [], { client: 'ann' })
    const { sockets } = await socketsSaid(ann)
    const seen = sockets.find(({ self }) => !self)
    expect(seen).toMatchObject({ locks: [], rooms: [{ address: 'room:acme/boiler' }] })
    expect(seen?.identities.filter((name) => name.startsWith('client:'))).toEqual([
      'client:acme/ann',
    ])
    const own = (await socketsSaid(both)).sockets.find(({ self }) => self)
    expect(own?.rooms).toHaveLength(2)
    expect(own?.locks).toEqual(['token'])
  })

  test('of one that is nobody are it alone', async () => {
    const guest = hall.open('/acme/yard')
    const { sockets } = await socketsSaid(guest)
    expect(sockets).toMatchObject([{ self: true, rooms: [{ address: 'room:acme/yard' }] }])
  })
})

describe('pages', () => {
  test('hold 256 sockets in the order of their addresses, each of them once', async () => {
    const secret = hall.store.token('acme', ['boiler'], { client: 'ann' })
    const guests = Array.from({ length: 600 }, () => hall.open().say(answer(1, secret)))
    await hall.settle()
    const [guest] = guests as [Guest]
    guest.take()
    const seen: string[] = []
    const sizes: number[] = []
    for (let more = true; more; ) {
      guest.say(command(1, 'listSockets', { after: seen.at(-1) ?? '' }))
      await hall.settle()
      const [body] = guest.take().map((frame) => frame.body)
      if (body?.case !== 'command' || body.value.action.case !== 'sockets') throw new Error('none')
      const page = body.value.action.value
      more = page.more
      sizes.push(page.sockets.length)
      seen.push(...page.sockets.map(({ socket }) => socket))
    }
    expect(seen).toEqual(guests.map(({ session }) => session.address).toSorted())
    expect(sizes).toEqual([256, 256, 88])
  })

  test('hold no more bytes than they should, whatever each entry holds', async () => {
    const names = Array.from({ length: 300 }, (_, i) => `room-${'x'.repeat(50)}-${i}`)
    for (const name of names) hall.store.room(`acme/${name}`)
    const secret = hall.store.token('acme', names, { client: 'ann' })
    for (let i = 0; i < 6; i++) {
      const guest = hall.open().say(answer(1, secret))
      guest.say(...names.map((name, j) => join(j + 2, `room:acme/${name}`)))
    }
    const ann = await client(hall, [], { client: 'ann' })
    const { sockets, more } = await socketsSaid(ann)
    expect(more).toBe(true)
    expect(sockets.length).toBeGreaterThan(0)
    expect(sockets.length).toBeLessThan(6)
  })

  test('are not asked for without end, nor after what is no address', async () => {
    const ann = await client(hall, [], { client: 'ann' })
    const lines = await asks(
      ann,
      ...Array.from({ length: 40 }, (_, i) => command(i + 1, 'listRooms', {})),
    )
    expect(lines.filter((each) => each.endsWith('rooms []'))).toHaveLength(32)
    expect(lines.slice(32)).toEqual(lines.slice(32).map((_, i) => `${i + 33} drop RATE_LIMITED`))
    hall.now += 1_000
    expect(await asks(ann, command(1, 'listRooms', { after: 'x'.repeat(513) }))).toEqual([
      '1 drop NAME_TOO_LONG',
    ])
  })
})

describe('an account', () => {
  test('sees all of its sockets, and those in each of its rooms', async () => {
    const boss = await owner(hall)
    await client(hall, ['boiler'], { client: 'ann', path: '/acme/boiler' })
    await client(hall, ['boiler'], { client: 'bob' })
    await client(hall, ['room'], { account: 'other', client: 'zoe' })
    hall.open('/acme/yard')
    await hall.settle()
    const names = ({ sockets }: Sockets) =>
      sockets.map(({ identities, self }) => (self ? 'self' : identities[0])).toSorted()
    expect(names(await socketsSaid(boss, 'lobby:acme'))).toEqual([
      'client:acme/ann',
      'client:acme/bob',
      'self',
    ])
    expect(names(await socketsSaid(boss, 'room:acme/boiler'))).toEqual(['client:acme/ann'])
    expect(names(await socketsSaid(boss, 'room:acme/yard'))).toEqual([undefined])
    expect(names(await socketsSaid(boss, 'client:acme/bob'))).toEqual(['client:acme/bob'])
    expect(await asks(boss, command(1, 'listSockets', { of: 'room:acme/attic' }))).toEqual([
      '1 sockets []',
    ])
    expect(hall.graph.place('acme/attic')).toBeUndefined()
  })

  test('sees the rooms it has, in order, and what it may do there', async () => {
    const boss = await owner(hall)
    boss.say(join(1, 'room:acme/yard'))
    await hears(hall, boss)
    expect(await asks(boss, command(1, 'listRooms', { of: 'lobby:acme' }))).toEqual([
      '1 rooms [room:acme/attic room:acme/boiler room:acme/yard]',
    ])
    expect(
      await asks(boss, command(1, 'listRooms', { of: 'lobby:acme', after: 'room:acme/boiler' })),
    ).toEqual(['1 rooms [room:acme/yard]'])
    expect(await asks(boss, command(1, 'listRooms', {}))).toEqual(['1 rooms [room:acme/yard]'])
  })

  test('is told when the store is away, and stays', async () => {
    const boss = await owner(hall)
    hall.store.away = true
    expect(
      await asks(
        boss,
        command(1, 'listRooms', { of: 'lobby:acme' }),
        command(2, 'listSockets', { of: 'room:acme/boiler' }),
        command(3, 'listRooms', {}),
      ),
    ).toEqual(['1 drop UNAVAILABLE', '2 drop UNAVAILABLE', '3 rooms []'])
  })
})

describe('who may not', () => {
  const FOREIGN = [
    'client:acme/ann',
    'client:acme/none',
    'room:acme/boiler',
    'room:acme/none',
    'lobby:acme',
    'lobby:none',
    `token:${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}`,
  ]

  test('of another account cannot tell what is there from what is not (A15)', async () => {
    const ann = await client(hall, ['boiler'], { client: 'ann', path: '/acme/boiler' })
    const token = ann.session.proofs[0]!.token!.id
    for (const zoe of [
      await client(hall, ['room'], { account: 'other', client: 'zoe' }),
      await owner(hall, 'other'),
    ]) {
      const before = hall.store.asked
      for (const of of [...FOREIGN, `token:${token}`, `token:${token}/1`]) {
        hall.now += 1_000
        expect(await asks(zoe, command(1, 'listSockets', { of }))).toEqual([
          '1 drop TARGET_UNKNOWN',
        ])
      }
      for (const of of ['lobby:acme', 'lobby:none', 'client:acme/ann', 'client:acme/none']) {
        expect(await asks(zoe, command(1, 'watch', { of }))).toEqual(['1 drop TARGET_UNKNOWN'])
      }
      for (const socket of [ann.session.address, 'socket:zzzzzzzzzzzzzzzz']) {
        expect(await asks(zoe, command(1, 'dropSocket', { socket }))).toEqual([
          '1 drop TARGET_UNKNOWN',
        ])
      }
      expect(hall.store.asked).toBe(before)
    }
    expect(ann.ended).toBeUndefined()
  })

  test('of the account is told that it may not, whether the thing is there or not', async () => {
    const ann = await client(hall, ['boiler'], { client: 'ann', path: '/acme/boiler' })
    const bob = await client(hall, ['boiler'], { client: 'bob', path: '/acme/boiler' })
    const token = ann.session.proofs[0]!.token!.id
    for (const of of [...FOREIGN.slice(0, 5), `token:${token}`]) {
      expect(await asks(bob, command(1, 'listSockets', { of }))).toEqual([
        '1 drop COMMAND_NOT_PERMITTED',
      ])
    }
    expect(
      await asks(
        bob,
        command(1, 'listRooms', { of: 'lobby:acme' }),
        command(2, 'watch', { of: 'lobby:acme' }),
        command(3, 'watch', { of: 'client:acme/ann' }),
        command(4, 'dropSocket', { socket: ann.session.address }),
      ),
    ).toEqual([1, 2, 3, 4].map((id) => `${id} drop COMMAND_NOT_PERMITTED`))
    expect(ann.ended).toBeUndefined()
  })

  test('asks in the wrong words, and is told which', async () => {
    const boss = await owner(hall)
    for (const of of ['', 'acme', 'socket:aaaaaaaaaaaaaaaa', 'lobby:', 'client:acme', 'token:x']) {
      if (of === '') continue
      expect(await asks(boss, command(1, 'listSockets', { of }))).toEqual([
        '1 drop ADDRESS_INVALID',
      ])
    }
    expect(
      await asks(
        boss,
        command(1, 'dropSocket', { socket: '' }),
        command(2, 'dropSocket', { socket: 'room:acme/yard' }),
        command(3, 'admit', { lock: 'room:acme/yard' }),
        command(4, 'watch', { of: 'room:acme/yard' }),
        command(5, 'listRooms', { of: 'room:acme/yard' }),
        command(6, 'listSockets', { of: 'room:acme/none' }),
        command(7, 'dropSocket', { socket: 'socket:zzzzzzzzzzzzzzzz' }),
        command(8, 'admit', { lock: 'lock:zzzzzzzzzzzzzzzz', admitted: true }),
      ),
    ).toEqual([
      ...[1, 2, 3, 4, 5].map((id) => `${id} drop ADDRESS_INVALID`),
      ...[6, 7, 8].map((id) => `${id} drop TARGET_UNKNOWN`),
    ])
  })
})

describe('a drop', () => {
  test("ends another of the client's sockets, with KICKED, and no other", async () => {
    const [ann, ann2] = [
      await client(hall, ['boiler'], { client: 'ann' }),
      await client(hall, ['boiler'], { client: 'ann', path: '/acme/boiler' }),
    ]
    expect(await asks(ann, command(1, 'dropSocket', { socket: ann2.session.address }))).toEqual([
      '1 done',
    ])
    expect(await hears(hall, ann2)).toEqual(['0 drop KICKED'])
    expect(ann2.ended).toBe(Code.KICKED)
    expect(await asks(ann, command(1, 'dropSocket', { socket: ann2.session.address }))).toEqual([
      '1 drop TARGET_UNKNOWN',
    ])
    expect((await socketsSaid(ann)).sockets).toHaveLength(1)
  })

  test('of itself is answered first', async () => {
    const ann = await client(hall, ['boiler'], { client: 'ann' })
    ann.say(command(1, 'dropSocket', { socket: ann.session.address }), text(2, 'late'))
    await hall.settle()
    expect(ann.take().map(line)).toEqual(['1 done', '0 drop KICKED'])
  })

  test('by an account ends its own, and nobodies in its rooms, but no guests', async () => {
    const boss = await owner(hall)
    const ann = await client(hall, ['boiler'], { client: 'ann' })
    const nobody = hall.open('/acme/yard')
    const zoe = await client(hall, ['room'], { account: 'other', client: 'zoe' })
    zoe.say(join(1, 'room:acme/yard'), join(2, 'room:other/room'))
    await hears(hall, zoe)
    for (const [guest, line] of [
      [ann, '1 done'],
      [nobody, '1 done'],
      [zoe, '1 drop COMMAND_NOT_PERMITTED'],
    ] as const) {
      expect(await asks(boss, command(1, 'dropSocket', { socket: guest.session.address }))).toEqual(
        [line],
      )
    }
    expect([ann.ended, nobody.ended, zoe.ended]).toEqual([Code.KICKED, Code.KICKED, undefined])
  })
})

describe("an account's lobby (R3, R9)", () => {
  test('by key: its commands, an echo, and from there into a room', async () => {
    const boss = hall.open('/user/acme/')
    expect(await hears(hall, boss)).toEqual(['0 challenge key'])
    await proveOwner(hall, boss, 'acme')
    expect(await hears(hall, boss)).toEqual(['102 verdict passed', '0 joined lobby:acme'])
    expect(await asks(boss, text(1, 'is this on?'))).toEqual([
      '0 envelope is this on?',
      '1 receipt ROUTED 1',
    ])
    expect(
      await asks(
        boss,
        command(1, 'listRooms', { of: 'lobby:acme' }),
        command(2, 'listSockets', { of: 'lobby:acme' }),
        join(3, 'room:acme/boiler'),
      ),
    ).toEqual([
      '1 rooms [room:acme/attic room:acme/boiler room:acme/yard]',
      '2 sockets [*]',
      '3 challenge token',
    ])
    expect(await asks(boss, answer(4, hall.store.token('acme', ['boiler'])))).toEqual([
      '4 verdict passed',
      '3 joined room:acme/boiler',
    ])
    const ann = await client(hall, ['boiler'], { client: 'ann', path: '/acme/boiler' })
    boss.say(text(5, 'hi', { to: ['room:acme/boiler'] }))
    expect(await hears(hall, ann)).toEqual(['0 envelope hi'])
    expect(await asks(boss, command(6, 'dropSocket', { socket: ann.session.address }))).toEqual([
      '5 receipt ROUTED 1',
      '6 done',
    ])
    expect(ann.ended).toBe(Code.KICKED)
  })

  test('by token: an echo and its own sockets, but nothing of the account', async () => {
    const guest = hall.open('/user/acme').say(answer(1, hall.store.token('acme', ['boiler'])))
    await hears(hall, guest)
    expect(
      await asks(
        guest,
        text(2, 'hello?'),
        command(3, 'listSockets', {}),
        command(4, 'listSockets', { of: 'lobby:acme' }),
        join(5, 'room:acme/boiler'),
      ),
    ).toEqual([
      '0 envelope hello?',
      '2 receipt ROUTED 1',
      expect.stringMatching(/^3 sockets \[\*token:[^ ]*\]$/),
      '4 drop COMMAND_NOT_PERMITTED',
      '5 joined room:acme/boiler',
    ])
  })

  test('of an account that does not exist is locked just as well', async () => {
    const guest = hall.open('/user/nobody/')
    expect(await hears(hall, guest)).toEqual(['0 challenge key'])
  })
})
