/** What is counted of a room and its channels (R23). */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Occupancy } from '../../gateway/router/occupancy.ts'
import { RoomTraffic, Traffic } from '../../gateway/router/traffic.ts'
import { Switchboard } from '../support/switchboard.ts'

describe('rates', () => {
  test('are what was sent in the last ten seconds, in a stream that is even', () => {
    const traffic = new Traffic()
    for (let ms = 50_000; ms < 85_000; ms += 100) traffic.count(128, ms)
    expect(traffic.messages).toBe(350)
    expect(traffic.rates(85_000).messages).toBeCloseTo(10, 5)
    expect(traffic.rates(85_000).bytes).toBeCloseTo(1280, 5)
  })

  test('fall to nothing within twice as long, however long nobody asks', () => {
    const traffic = new Traffic()
    for (let i = 0; i < 100; i++) traffic.count(1, 1_000_000)
    expect(traffic.rates(1_000_000).messages).toBe(10)
    expect(traffic.rates(1_015_000).messages).toBe(5)
    expect(traffic.rates(1_020_000).messages).toBe(0)
    expect(traffic.rates(9_000_000).messages).toBe(0)
    expect(traffic.messages).toBe(100)
  })

  test('never are less than nothing or more than was sent, whatever the clock does', () => {
    const step = fc.record({ ms: fc.integer({ min: -30_000, max: 30_000 }), n: fc.nat(20) })
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const traffic = new Traffic()
        let now = 1_700_000_000_000
        for (const { ms, n } of steps) {
          now += ms
          for (let i = 0; i < n; i++) traffic.count(1, now)
          const { messages } = traffic.rates(now)
          expect(messages).toBeGreaterThanOrEqual(0)
          expect(messages).toBeLessThanOrEqual(traffic.messages / 10)
        }
      }),
    )
  })
})

describe('a room', () => {
  test('counts each message and its content, those of its channels among them', () => {
    const board = new Switchboard()
    const place = board.place('acme/table')
    const origin = board.socket()
    origin.enter(place)
    for (const channel of ['', 'a', 'a', 'b']) {
      board.publish(origin, {
        routing: { route: place.route, channel },
        content: { case: 'text', value: 'four' },
        headers: { not: 'counted' },
      })
    }
    board.publish(origin, { routing: { route: place.route } })
    expect(place.traffic.room).toMatchObject({ messages: 5, bytes: 16 })
    expect(place.traffic.of('a')).toMatchObject({ messages: 2, bytes: 8 })
    expect(place.traffic.of('b')).toMatchObject({ messages: 1, bytes: 4 })
    expect(place.traffic.of('c')).toBeUndefined()
  })

  test('forgets the channels that were sent to least lately, and holds no more than 10,000', () => {
    const traffic = new RoomTraffic()
    const send = (channel: string) => traffic.count(channel, 1, 1_000_000)
    send('busy')
    send('once')
    for (let i = 0; i < 30_000; i++) {
      send(`cell/${i}`)
      if (i % 1_000 === 0) send('busy')
    }
    const channels = new Set(traffic.channels())
    expect(channels.size).toBeLessThanOrEqual(10_000)
    expect(channels.size).toBeGreaterThanOrEqual(5_000)
    expect(channels.has('once')).toBe(false)
    expect(channels.has('cell/29999')).toBe(true)
    expect(traffic.of('busy')?.messages).toBe(31)
    expect(traffic.room.messages).toBe(30_032)
  })
})

describe('who is in a room', () => {
  const names = ['client:acme/ann', 'client:acme/bob', 'token:t/1', 'socket:a', '']
  const filters = ['', 'a', 'b/c', 'b/*', '**']
  const step = fc.record({
    who: fc.nat(3),
    kind: fc.constantFrom('rename', 'listen', 'unlisten'),
    name: fc.constantFrom(...names),
    filter: fc.constantFrom(...filters),
  })

  test('is counted by name, in the room and in each channel, as by going over all', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const occupancy = new Occupancy()
        const members = [0, 1, 2, 3].map(() => ({ name: '', filters: new Set<string>() }))
        for (const { who, kind, name, filter } of steps) {
          const member = members[who]!
          if (kind === 'rename') occupancy.rename(member, name)
          else if (kind === 'listen' && !member.filters.has(filter)) {
            occupancy.listen(member, filter)
            member.filters.add(filter)
          } else if (kind === 'unlisten' && member.filters.has(filter)) {
            occupancy.unlisten(member, filter)
            member.filters.delete(filter)
          }
          const present = members.filter((each) => each.name !== '')
          const expected = (those: typeof members) => {
            const all = those.map((each) => each.name)
            const clients = new Set(all.filter((each) => !each.startsWith('socket:'))).size
            return { sockets: all.length, clients, names: new Set(all).size }
          }
          const { sockets, clients, names } = occupancy.room
          expect({ sockets, clients, names }).toEqual(expected(present))
          for (const channel of ['a', 'b/c']) {
            const there = present.filter((each) => each.filters.has(channel))
            const count = occupancy.of(channel)
            expect(count?.sockets ?? 0).toBe(there.length)
            expect(count?.clients ?? 0).toBe(expected(there).clients)
          }
          expect([...occupancy.channels].every((each) => ['a', 'b/c'].includes(each))).toBe(true)
        }
      }),
    )
  })
})
