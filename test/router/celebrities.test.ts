/**
 * Celebrities (R42): 100,000 members of one room, at the interface of outboxes. Work is counted,
 * not timed, so that it says the same on every machine.
 */

import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Batch } from '../../gateway/router/batch.ts'
import type { Membership } from '../../gateway/router/membership.ts'
import type { Place } from '../../gateway/router/place.ts'
import { envelopes, framesIn } from '../support/heard.ts'
import { MemorySocket } from '../support/memory-socket.ts'
import { Switchboard } from '../support/switchboard.ts'

const MEMBERS = 100_000

/** Counts what it is given, and looks at nothing. */
class Fan extends MemorySocket {
  turns = 0
  last: Buffer | undefined

  override deliver(batch: Batch, from: number, to: number): void {
    this.turns++
    this.last = batch.bytes(from, to)
  }
}

let board: Switchboard
let place: Place
let star: MemorySocket
const fans: Fan[] = []
const members: Membership[] = []

beforeAll(() => {
  board = new Switchboard()
  place = board.place('acme/stage')
  star = board.socket()
  star.enter(place)
  for (let i = 0; i < MEMBERS; i++) {
    const fan = new Fan(`${i}`.padStart(16, 'a')).in(board.graph)
    const member = fan.enter(place)
    place.listen(member, '')
    fans.push(fan)
    members.push(member)
  }
})

function says(...words: string[]): number {
  let sockets = 0
  for (const value of words) {
    const outcome = board.publish(star, {
      routing: { route: place.route },
      content: { case: 'text', value },
    })
    sockets = outcome.sockets
  }
  return sockets
}

describe('a room of 100,000', () => {
  test('gets a turn of messages as one write a member, the same bytes for all', () => {
    expect(says('a', 'b', 'c')).toBe(MEMBERS)
    board.endTurn()
    const [first] = fans
    expect(fans.every(({ turns, last }) => turns === 1 && last === first?.last)).toBe(true)
    expect(envelopes(framesIn(first?.last as Buffer)).length).toBe(3)
  })

  test('is sent to without allocating anything for a member', async () => {
    // Once before, so that all code is compiled.
    for (let i = 0; i < 20; i++) {
      says('warm')
      board.endTurn()
    }
    let collections = 0
    const observer = new PerformanceObserver((list) => {
      collections += list.getEntries().length
    })
    observer.observe({ entryTypes: ['gc'] })
    // The smallest object for each would be 160 MB: ten collections at least.
    for (let i = 0; i < 100; i++) {
      says('x')
      board.endTurn()
    }
    await setImmediate()
    observer.disconnect()
    expect(fans[0]?.turns).toBe(121)
    expect(collections).toBeLessThan(4)
  })

  test('is told once to a member that spoke himself, around his own messages', () => {
    const [speaker, other] = [fans[7] as Fan, fans[8] as Fan]
    const before = { own: speaker.turns, other: other.turns }
    says('a')
    board.publish(speaker, {
      routing: { route: place.route },
      content: { case: 'text', value: 'own' },
    })
    says('b')
    board.endTurn()
    expect(speaker.turns - before.own).toBe(2)
    expect(other.turns - before.other).toBe(1)
  })

  test('is left and joined again in any order, each at the same cost', () => {
    // Every seventh, from both ends, in the midst of turns: what is quadratic would not end.
    for (let i = 0; i < MEMBERS; i += 7) {
      for (const at of [i, MEMBERS - 1 - i]) {
        const member = members[at] as Membership
        if (member.filters.size > 0) place.unlisten(member, '')
        else place.listen(member, '')
      }
      if (i % 7_000 === 0) {
        says('x')
        board.endTurn()
      }
    }
    const listening = members.filter(({ filters }) => filters.size > 0).length
    expect(says('last')).toBe(listening)
    for (const fan of fans) fan.last = undefined
    board.endTurn()
    expect(fans.filter(({ last }) => last !== undefined).length).toBe(listening)
    for (const member of members) place.listen(member, '')
  })

  test('that is a table of 20,000 cells costs each message those that hear it alone', () => {
    const table = board.place('acme/table')
    const cells = fans.slice(0, 20_000).map((fan, i) => {
      const member = fan.enter(table)
      place.unlisten(members[i] as Membership, '')
      table.listen(member, `${i}`)
      return member
    })
    for (const fan of fans) fan.turns = 0
    star.enter(table)
    for (let i = 0; i < 100; i++) {
      board.publish(star, {
        routing: { route: table.route, channel: `${i * 200}` },
        content: { case: 'text', value: 'x' },
      })
    }
    board.endTurn()
    expect(fans.reduce((sum, { turns }) => sum + turns, 0)).toBe(100)
    for (const member of cells) table.leave(member)
    expect(table.audiencesOf('200')).toEqual([])
  })
})

test('two who are in 10,000 rooms each and share none cannot reach each other', () => {
  const [one, two] = [board.socket(), board.socket()]
  for (let i = 0; i < 10_000; i++) {
    one.enter(board.place(`acme/one-${i}`))
    two.enter(board.place(`acme/two-${i}`))
  }
  const send = (): number =>
    board.publish(one, {
      routing: { to: [`socket:${two.id}`] },
      content: { case: 'text', value: 'x' },
    }).sockets
  expect(send()).toBe(0)
  const shared = board.place('acme/shared')
  one.enter(shared)
  two.enter(shared)
  expect(send()).toBe(1)
})
