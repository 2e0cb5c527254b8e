/** The graph of sockets, clients and rooms, walked from any end (R28). */
import type { Command } from '@porthouse/proto/v1/command'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answer, join, leave } from '../support/client-frames.ts'
import type { Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'
import { client, command, hallWithKeys, hears, owner } from '../support/staff.ts'

const ROOMS = ['r0', 'r1', 'r2']
const CLIENTS = ['c0', 'c1', 'c2']

type Answer<Case> =
  Extract<Command['action'], { case: Case }> extends { value: infer V } ? V : never

async function ask<Case extends 'sockets' | 'rooms' | 'clients'>(
  hall: Hall,
  guest: Guest,
  kind: Case,
  of: string,
): Promise<Answer<Case>> {
  const list = { sockets: 'listSockets', rooms: 'listRooms', clients: 'listClients' } as const
  hall.now += 1_000
  guest.say(command(1, list[kind] as 'listSockets', { of }))
  await hall.settle()
  for (const { body } of guest.take()) {
    const action = body.case === 'command' ? body.value.action : undefined
    if (action?.case === kind) return action.value as Answer<Case>
  }
  throw new Error(`no ${kind}`)
}

function hallOfRooms(): Hall {
  const hall = hallWithKeys({ limbo: { deadlineMs: 10_000_000 }, heartbeatMs: 10_000_000 })
  for (const room of ROOMS) hall.store.room(`acme/${room}`, OPEN)
  return hall
}

describe('each direction', () => {
  const step = fc.record({
    kind: fc.constantFrom('open', 'prove', 'join', 'leave', 'vanish'),
    socket: fc.nat(5),
    what: fc.nat(2),
  })

  test('says the same, whoever came and went', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const hall = hallOfRooms()
        const boss = await owner(hall)
        const secrets = CLIENTS.map((name) => hall.store.token('acme', [], { client: name }))
        const guests: (Guest | undefined)[] = []
        for (const { kind, socket, what } of steps) {
          const guest = guests[socket]
          if (kind === 'open') guests[socket] ??= hall.open('/acme/r0')
          else if (kind === 'prove') guest?.say(answer(1, secrets[what] as string))
          else if (kind === 'join') guest?.say(join(2, `room:acme/${ROOMS[what]}`))
          else if (kind === 'leave') guest?.say(leave(3, `room:acme/${ROOMS[what]}`))
          else {
            guest?.vanish()
            guests[socket] = undefined
          }
          await hall.settle()
        }
        await agrees(hall, boss)
      }),
      { numRuns: 40 },
    )
  })

  async function agrees(hall: Hall, boss: Guest): Promise<void> {
    // All edges, as each end of them says: socket, client and room.
    const [byClient, byRoom, roomsOfClients, clientsOfRooms] = [[], [], [], []] as string[][][]
    for (const name of CLIENTS.map((each) => `client:acme/${each}`)) {
      const { sockets } = await ask(hall, boss, 'sockets', name)
      for (const { socket, identities, rooms } of sockets) {
        expect(identities).toContain(name)
        for (const { address } of rooms) byClient?.push([socket, name, address])
      }
      const { rooms } = await ask(hall, boss, 'rooms', name)
      for (const { address } of rooms) roomsOfClients?.push([name, address])
    }
    for (const room of ROOMS.map((each) => `room:acme/${each}`)) {
      const { sockets } = await ask(hall, boss, 'sockets', room)
      for (const { socket, identities, rooms } of sockets) {
        expect(rooms.map(({ address }) => address)).toContain(room)
        for (const name of clientsIn(identities)) byRoom?.push([socket, name, room])
      }
      const { clients } = await ask(hall, boss, 'clients', room)
      for (const { address, sockets: count } of clients) {
        if (!address.startsWith('client:')) continue
        clientsOfRooms?.push([address, room])
        expect(count).toBe(byRoom?.filter(([, name, r]) => name === address && r === room).length)
      }
    }
    const lines = (edges: string[][] = []) =>
      [...new Set(edges.map((edge) => edge.join(' ')))].toSorted()
    expect(lines(byClient)).toEqual(lines(byRoom))
    const pairs = byClient?.map((edge) => edge.slice(1))
    expect(lines(roomsOfClients)).toEqual(lines(pairs))
    expect(lines(clientsOfRooms)).toEqual(lines(pairs))
    const { clients } = await ask(hall, boss, 'clients', 'lobby:acme')
    const live = await ask(hall, boss, 'sockets', 'lobby:acme')
    expect(clientsIn(clients.map(({ address }) => address))).toEqual(
      [...new Set(live.sockets.flatMap(({ identities }) => clientsIn(identities)))].toSorted(),
    )
  }

  function clientsIn(names: readonly string[]): string[] {
    return names.filter((name) => name.startsWith('client:'))
  }
})

describe('the rooms of a client', () => {
  test('are told to itself and to its account, with what its sockets may do together', async () => {
    const hall = hallOfRooms()
    const [ann, again] = [
      await client(hall, [], { client: 'ann' }),
      await client(hall, [], { client: 'ann' }),
    ]
    ann.say(join(1, 'room:acme/r0', true))
    again.say(join(1, 'room:acme/r0'), join(2, 'room:acme/r1'))
    await hall.settle()
    for (const each of [ann, again]) each.take()
    const boss = await owner(hall)
    for (const asker of [ann, again, boss]) {
      const { rooms } = await ask(hall, asker, 'rooms', 'client:acme/ann')
      expect(rooms).toMatchObject([
        { address: 'room:acme/r0', maySend: true, listening: true },
        { address: 'room:acme/r1' },
      ])
    }
  })

  test('are those alone in accounts that the asker is of (A15)', async () => {
    const hall = hallOfRooms()
    hall.store.room('other/room', OPEN)
    const [ann, both] = [await client(hall, [], { client: 'ann' }), hall.open()]
    const boss = await owner(hall)
    both.say(answer(1, hall.store.token('acme', [], { client: 'ann' })))
    both.say(answer(2, hall.store.token('other', [], { client: 'zoe' })))
    both.say(join(3, 'room:other/room'), join(4, 'room:acme/r1'))
    await hears(hall, both)
    const addresses = async (asker: Guest) =>
      (await ask(hall, asker, 'rooms', 'client:acme/ann')).rooms.map(({ address }) => address)
    expect(await addresses(ann)).toEqual(['room:acme/r1'])
    expect(await addresses(boss)).toEqual(['room:acme/r1'])
    expect(await addresses(both)).toEqual(['room:acme/r1', 'room:other/room'])
    const { clients } = await ask(hall, boss, 'clients', 'lobby:acme')
    expect(clients.map(({ address }) => address)).not.toContain('client:other/zoe')
  })

  test('and clients are nothing to those whose they are not', async () => {
    const hall = hallOfRooms()
    await client(hall, [], { client: 'ann' })
    const bob = await client(hall, [], { client: 'bob', path: '/acme/r0' })
    const zoe = await client(hall, [], { account: 'other', client: 'zoe' })
    const asks = [
      command(1, 'listRooms', { of: 'client:acme/ann' }),
      command(2, 'listRooms', { of: 'client:acme/none' }),
      command(3, 'listClients', { of: 'room:acme/r0' }),
      command(4, 'listClients', { of: 'lobby:acme' }),
      command(5, 'listRooms', { of: 'room:acme/r0' }),
      command(6, 'listClients', { of: 'client:acme/ann' }),
    ]
    const codes = async (guest: Guest) =>
      (await hears(hall, guest.say(...asks))).map((line) => line.split(' ').at(-1))
    const no = 'COMMAND_NOT_PERMITTED'
    const unknown = 'TARGET_UNKNOWN'
    const invalid = 'ADDRESS_INVALID'
    expect(await codes(bob)).toEqual([no, no, no, no, invalid, invalid])
    expect(await codes(zoe)).toEqual([unknown, unknown, unknown, unknown, invalid, invalid])
  })
})

describe('a client in 10,000 rooms (R42)', () => {
  test('enters, lists and leaves them', async () => {
    const ROOMS_MANY = 10_000
    const hall = hallWithKeys({ limits: { rooms: ROOMS_MANY } })
    const names = Array.from({ length: ROOMS_MANY }, (_, i) => `acme/room-${i}`)
    for (const name of names) hall.store.room(name, OPEN)
    const addresses = names.map((name) => `room:${name}`)
    const ann = await client(hall, [], { client: 'ann' })
    for (let at = 0; at < ROOMS_MANY; at += 500) {
      ann.say(...addresses.slice(at, at + 500).map((address, i) => join(i + 1, address)))
      await hall.settle()
    }
    expect(ann.take()).toHaveLength(ROOMS_MANY)
    expect(ann.session.memberships.size).toBe(ROOMS_MANY)
    hall.now += 1_000
    hall.store.room('acme/more', OPEN)
    expect(await hears(hall, ann.say(join(1, 'room:acme/more')))).toEqual(['1 drop ROOM_LIMIT'])

    const listed: string[] = []
    for (let more = true; more; ) {
      hall.now += 1_000
      ann.say(command(1, 'listRooms', { after: listed.at(-1) ?? '' }))
      await hall.settle()
      const [body] = ann.take().map((frame) => frame.body)
      if (body?.case !== 'command' || body.value.action.case !== 'rooms') throw new Error('none')
      more = body.value.action.value.more
      listed.push(...body.value.action.value.rooms.map(({ address }) => address))
    }
    expect(listed).toEqual(addresses.toSorted())

    ann.say(...addresses.slice(0, 500).map((address, i) => leave(i + 1, address)))
    await hall.settle()
    expect(ann.session.memberships.size).toBe(ROOMS_MANY - 500)
    ann.vanish()
    await hall.settle()
    expect([...hall.rooms.loaded]).toEqual([])
  })
})
