/** Who comes to a room and goes, as its members are told (R23). */
import { Code } from '@porthouse/proto/v1/code'
import type { Members, Presence } from '@porthouse/proto/v1/room'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { binaryLane } from '../../gateway/ingress/websocket/binary-lane.ts'
import { jsonLane } from '../../gateway/ingress/websocket/json-lane.ts'
import type { Lane } from '../../gateway/router/lane.ts'
import { answer, type FrameInit, join, leave, text } from '../support/client-frames.ts'
import type { Guest, Hall } from '../support/hall.ts'
import { OPEN, type TokenOptions } from '../support/memory-store.ts'
import { client, hallWithKeys, hears, owner } from '../support/staff.ts'

const INTERVAL_MS = 200

let hall: Hall

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'setTimeout'] })
  hall = hallWithKeys()
  hall.store.room('acme/hall', OPEN, seen())
  hall.store.room('acme/shut', seen())
  hall.store.room('acme/dark', OPEN)
})

afterEach(() => vi.useRealTimers())

function seen(presence: { members?: number; intervalMs?: number } = {}) {
  return { case: 'presence', value: { enabled: true, ...presence } } as never
}

function joinSeeing(id: number, address = 'room:acme/hall', sendOnly = false): FrameInit {
  const action = { case: 'join' as const, value: { address, sendOnly, presence: true } }
  return { id, body: { case: 'room', value: { action } } }
}

function listMembers(id: number, of = 'room:acme/hall', after = ''): FrameInit {
  const action = { case: 'listMembers' as const, value: { of, after } }
  return { id, body: { case: 'room', value: { action } } }
}

async function passes(ms = INTERVAL_MS): Promise<void> {
  await hall.settle()
  vi.advanceTimersByTime(ms)
  await hall.settle()
}

/** A socket of a client that is in the room; what it heard so far is taken. */
async function there(name: string, frame = joinSeeing(1)): Promise<Guest> {
  const guest = await client(hall, [], { client: name })
  guest.say(frame)
  await passes()
  guest.take()
  return guest
}

function told(guest: Guest): Presence[] {
  return guest.take().flatMap(({ body }) => {
    const action = body.case === 'room' ? body.value.action : undefined
    return action?.case === 'presence' ? [action.value] : []
  })
}

/** `+ann -bob 3`: who came and who went, and how many there are. */
function changes(guest: Guest): string[] {
  return told(guest).map(({ joined, left, count }) =>
    [
      ...joined.map(({ address }) => `+${short(address)}`),
      ...left.map((name) => `-${short(name)}`),
      count,
    ].join(' '),
  )
}

function short(name: string): string {
  return name.replace('client:acme/', '')
}

async function members(guest: Guest, of?: string, after?: string): Promise<Members> {
  guest.say(listMembers(9, of, after))
  await hall.settle()
  for (const { body } of guest.take()) {
    const action = body.case === 'room' ? body.value.action : undefined
    if (action?.case === 'members') return action.value
  }
  throw new Error('no members')
}

async function listed(guest: Guest, of?: string): Promise<string[]> {
  const { members: all } = await members(guest, of)
  return all.map(({ address, sockets }) => `${short(address)} ${sockets}`)
}

describe('members are told', () => {
  test('who came and who went in some time, in one frame', async () => {
    const ann = await there('ann')
    const bob = await client(hall, [], { client: 'bob' })
    const cat = await client(hall, [], { client: 'cat' })
    bob.say(join(1, 'room:acme/hall'))
    cat.say(join(1, 'room:acme/hall'))
    await hall.settle()
    expect(changes(ann)).toEqual([])
    await passes()
    expect(changes(ann)).toEqual(['+bob +cat 3'])
    bob.say(leave(2, 'room:acme/hall'))
    cat.vanish()
    await passes()
    expect(changes(ann)).toEqual(['-bob -cat 1'])
    await passes(60_000)
    expect(changes(ann)).toEqual([])
  })

  test('of a name, not of each of its sockets', async () => {
    const ann = await there('ann')
    const bob = await there('bob')
    expect(changes(ann)).toEqual(['+bob 2'])
    const again = await there('bob')
    bob.vanish()
    await passes()
    expect(changes(ann)).toEqual([])
    again.vanish()
    await passes()
    expect(changes(ann)).toEqual(['-bob 1'])
  })

  test('nothing of who is back, or gone again, within that time', async () => {
    const ann = await there('ann')
    const bob = await there('bob')
    changes(ann)
    bob.vanish()
    const again = await client(hall, [], { client: 'bob' })
    again.say(joinSeeing(1))
    const cat = await client(hall, [], { client: 'cat' })
    cat.say(join(1, 'room:acme/hall'), leave(2, 'room:acme/hall'))
    await passes()
    expect(changes(ann)).toEqual([])
    expect(await listed(ann)).toEqual(['ann 1', 'bob 1'])
  })

  test('of those without a name by their sockets, of shared tokens by their numbers', async () => {
    const ann = await there('ann')
    const stranger = hall.open('/acme/hall')
    const secret = hall.store.token('acme', [], { maxConnections: 2 } as TokenOptions)
    const shared = hall.open().say(answer(1, secret), join(2, 'room:acme/hall'))
    const single = hall.open().say(answer(1, hall.store.token('acme', [])))
    single.say(join(2, 'room:acme/hall'))
    await passes()
    const token = shared.session.proofs[0]!.token!.id
    const [{ joined }] = told(ann) as [Presence]
    expect(joined.map(({ address }) => address).toSorted()).toEqual(
      [stranger.session.address, single.session.address, `token:${token}/1`].toSorted(),
    )
  })

  test('under another name where he is somebody only later', async () => {
    const ann = await there('ann')
    const guest = hall.open('/acme/hall')
    await passes()
    changes(ann)
    guest.say(answer(1, hall.store.token('acme', [], { client: 'bob' })), joinSeeing(2))
    await passes()
    expect(changes(ann)).toEqual([`+bob -${guest.session.address} 2`])
  })

  test('in either wire form', async () => {
    const guest = hall.open('/v1/ws', jsonLane)
    guest.say(joinSeeing(1))
    await passes()
    guest.take()
    await there('bob')
    expect(changes(guest)).toEqual(['+bob 2'])
  })

  test('only if they asked, and only while they may listen', async () => {
    const plain = await there('plain', join(1, 'room:acme/hall'))
    const deaf = hall.open().say(answer(1, hall.store.token('acme', ['shut'], { receive: false })))
    deaf.say(joinSeeing(2, 'room:acme/shut', true))
    const ann = await client(hall, ['shut'], { client: 'ann' })
    await passes()
    deaf.take()
    ann.say(joinSeeing(1, 'room:acme/shut'))
    await there('bob')
    expect([plain, deaf].map(changes)).toEqual([[], []])
    expect(await hears(hall, deaf.say(listMembers(3, 'room:acme/shut')))).toEqual([
      '3 drop RECEIVE_NOT_PERMITTED',
    ])
  })

  test('also those who are slow, in the order of what else they are sent', async () => {
    const ann = await there('ann')
    const bob = await there('bob')
    ann.take()
    ann.stick()
    for (let i = 0; i < 4; i++) bob.say(text(0, 'x'.repeat(40_000), { receipt: 0 }))
    await hall.settle()
    bob.say(leave(2, 'room:acme/hall'))
    await passes()
    ann.unstick()
    await hall.settle()
    expect((await hears(hall, ann)).map((line) => line.slice(0, 12))).toEqual([
      ...Array(4).fill('0 envelope x'),
      '0 presence',
    ])
  })
})

describe('in a larger room', () => {
  beforeEach(() => hall.store.configure('acme/hall', OPEN, seen({ members: 3 })))

  test('they are told how many there are, and names again when it is small enough', async () => {
    const ann = await there('ann')
    const guests = [await there('bob'), await there('cat')]
    changes(ann)
    guests.push(await there('dan'))
    expect(changes(ann)).toEqual(['4'])
    // Somebody else in his place is nothing new.
    guests.pop()?.vanish()
    const eve = await client(hall, [], { client: 'eve' })
    eve.say(join(1, 'room:acme/hall'))
    await passes(2 * INTERVAL_MS)
    expect(changes(ann)).toEqual([])
    eve.vanish()
    await passes(2 * INTERVAL_MS)
    expect(changes(ann)).toEqual(['3'])
    // From here on names tell changes of what is listed now.
    expect(await listed(ann)).toEqual(['ann 1', 'bob 1', 'cat 1'])
    guests.pop()?.vanish()
    await passes()
    expect(changes(ann)).toEqual(['-cat 2'])
  })
})

test('where over 1,024 come at once, how many there are is told alone', async () => {
  hall.store.configure('acme/hall', OPEN, seen({ members: 10_000 }))
  const ann = await there('ann')
  for (let i = 0; i < 1_000; i++) hall.open('/acme/hall')
  await passes()
  const named = told(ann)
  expect(named.map(({ joined }) => joined.length)).toEqual([256, 256, 256, 232])
  for (let i = 0; i < 1_025; i++) hall.open('/acme/hall')
  await passes()
  expect(changes(ann)).toEqual(['2026'])
})

describe('a changed config', () => {
  test('begins and ends it, for those who asked before', async () => {
    await hall.live.start()
    const ann = await there('ann', joinSeeing(1, 'room:acme/dark'))
    const bob = await there('bob', join(1, 'room:acme/dark'))
    expect(changes(ann)).toEqual([])
    expect(await hears(hall, ann.say(listMembers(3, 'room:acme/dark')))).toEqual([
      '3 drop COMMAND_NOT_PERMITTED',
    ])
    hall.store.configure('acme/dark', OPEN, seen())
    await passes()
    ann.take()
    expect(await listed(ann, 'room:acme/dark')).toEqual(['ann 1', 'bob 1'])
    bob.vanish()
    await passes()
    expect(changes(ann)).toEqual(['-bob 1'])
    await there('cat', join(1, 'room:acme/dark'))
    hall.store.configure('acme/dark', OPEN)
    await passes()
    ann.take()
    await there('dan', join(1, 'room:acme/dark'))
    expect(changes(ann)).toEqual([])
    await hall.live.stop()
  })
})

describe('members listed', () => {
  test('come in pages, by address, with their sockets and how many there are', async () => {
    const ann = await there('ann')
    for (let i = 0; i < 300; i++) hall.open('/acme/hall')
    await there('ann')
    const first = await members(ann)
    expect([first.members.length, first.more, first.count]).toEqual([256, true, 301])
    expect(first.members[0]).toMatchObject({ address: 'client:acme/ann', sockets: 2 })
    const last = first.members.at(-1)?.address
    const second = await members(ann, undefined, last)
    expect([second.members.length, second.more, second.count]).toEqual([45, false, 301])
    const all = [...first.members, ...second.members].map(({ address }) => address)
    expect(all).toEqual([...new Set(all)].toSorted())
  })

  test('are for members who may listen, and for the owner (A15)', async () => {
    const boss = await owner(hall)
    const zoe = await client(hall, [], { account: 'other', client: 'zoe' })
    const bob = await client(hall, ['hall'], { client: 'bob' })
    await there('ann', join(1, 'room:acme/dark'))
    await there('ann')
    expect(await listed(boss)).toEqual(['ann 1'])
    expect(await listed(boss, 'room:acme/dark')).toEqual(['ann 1'])
    const asks = async (guest: Guest, of: string) => hears(hall, guest.say(listMembers(3, of)))
    expect(await asks(zoe, 'room:acme/hall')).toEqual(['3 drop TARGET_UNKNOWN'])
    expect(await asks(zoe, 'room:acme/none')).toEqual(['3 drop TARGET_UNKNOWN'])
    expect(await asks(bob, 'room:acme/hall')).toEqual(['3 drop COMMAND_NOT_PERMITTED'])
    expect(await asks(bob, 'room:acme/none')).toEqual(['3 drop COMMAND_NOT_PERMITTED'])
    expect(await asks(boss, 'room:acme/none')).toEqual(['3 drop TARGET_UNKNOWN'])
    expect(await asks(boss, 'room:acme/hall/channel')).toEqual(['3 drop ADDRESS_INVALID'])
    expect(await asks(boss, 'lobby:acme')).toEqual(['3 drop ADDRESS_INVALID'])
    expect(await asks(hall.open(), 'room:acme/hall')).toEqual(['3 drop UNAUTHENTICATED'])
    const { ended } = boss.say({ body: { case: 'room', value: membersSaid } })
    expect(ended).toBe(Code.FRAME_NOT_ALLOWED)
  })

  const membersSaid = { action: { case: 'members' as const, value: {} } }
})

describe('a list, and the changes after it', () => {
  const NAMES = ['a', 'b', 'c', 'd', 'e']
  const step = fc.oneof(
    fc.record({ kind: fc.constant('come' as const), who: fc.nat(4) }),
    fc.record({ kind: fc.constant('go' as const), who: fc.nat(4) }),
    fc.record({ kind: fc.constant('list' as const), who: fc.nat(4) }),
    fc.record({ kind: fc.constant('pass' as const), who: fc.constant(0) }),
  )

  test.each([4, 256])('are always who is there, told by name up to %s', async (namesMax) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        hall = hallWithKeys()
        hall.store.room('acme/hall', OPEN, seen({ members: namesMax }))
        const watcher = await there('watcher')
        const secrets = NAMES.map((name) => hall.store.token('acme', [], { client: name }))
        const sockets: Guest[][] = NAMES.map(() => [])
        let known: Set<string> | undefined
        const hear = () => {
          for (const { body } of watcher.take()) {
            const action = body.case === 'room' ? body.value.action : undefined
            if (action?.case === 'members') {
              known = new Set(action.value.members.map(({ address }) => address))
              expect(action.value.count).toBe(known.size)
            } else if (action?.case === 'presence') {
              const { joined, left, count } = action.value
              if (joined.length + left.length === 0) known = undefined
              for (const { address } of joined) known?.add(address)
              for (const name of left) known?.delete(name)
              if (known) expect(count).toBe(known.size)
            }
          }
        }
        for (const { kind, who } of [...steps, { kind: 'pass' as const, who: 0 }]) {
          if (kind === 'come') {
            const guest = hall.open().say(answer(1, secrets[who] as string))
            sockets[who]?.push(guest.say(join(2, 'room:acme/hall')))
          } else if (kind === 'go') {
            sockets[who]?.pop()?.vanish()
          } else if (kind === 'list') {
            hall.now += 1_000
            watcher.say(listMembers(3))
          } else {
            await passes(2 * INTERVAL_MS)
          }
          await hall.settle()
          hear()
        }
        if (!known) return
        const present = NAMES.filter((_, i) => (sockets[i]?.length ?? 0) > 0)
        const expected = ['watcher', ...present].map((name) => `client:acme/${name}`)
        expect([...known].toSorted()).toEqual(expected.toSorted())
      }),
      { numRuns: 60 },
    )
  })
})

describe('what it costs', () => {
  const TIME_MS = 8_000

  /** A room of so many members who all see each other, and somebody new every 100 ms. */
  async function costOf(size: number) {
    hall = hallWithKeys({ limbo: { deadlineMs: 1_000_000 } })
    hall.store.room('acme/hall', OPEN, seen())
    const guests = Array.from({ length: size }, () => hall.open().say(joinSeeing(1)))
    await passes(60_000)
    for (const guest of guests) guest.take()
    let [frames, bytes] = [0, 0]
    for (const guest of guests) {
      guest.write = (written) => {
        frames++
        bytes += written.length
      }
    }
    for (let ms = 0; ms < TIME_MS; ms += 100) {
      hall.open('/acme/hall')
      await passes(100)
    }
    return { frames, bytes }
  }

  test('does not grow with a room beyond the names that are told', async () => {
    const costs = []
    for (const size of [100, 1_000, 5_000]) costs.push(await costOf(size))
    // 256 members, each told every 200 ms, are the most that any room costs.
    const framesMax = (256 / INTERVAL_MS) * TIME_MS
    const [small, large, largest] = costs as [Cost, Cost, Cost]
    for (const { frames } of costs) {
      expect(frames).toBeGreaterThan(0)
      expect(frames).toBeLessThanOrEqual(framesMax)
    }
    expect(largest.bytes).toBeLessThan(large.bytes * 1.5)
    expect(large.bytes / large.frames).toBeLessThan(20)
    expect(small.bytes / small.frames).toBeLessThan(256)
  })

  interface Cost {
    readonly frames: number
    readonly bytes: number
  }

  test('is one frame encoded, however many take it', async () => {
    let writers = 0
    const lane: Lane = {
      ...binaryLane,
      writer: () => {
        writers++
        return binaryLane.writer()
      },
    }
    const guests = Array.from({ length: 50 }, () => hall.open('/v1/ws', lane).say(joinSeeing(1)))
    await passes()
    for (const guest of guests) guest.take()
    hall.open('/acme/hall')
    await hall.settle()
    writers = 0
    await passes()
    expect(writers).toBe(1)
    expect(guests.map((guest) => told(guest).length)).toEqual(guests.map(() => 1))
  })
})
