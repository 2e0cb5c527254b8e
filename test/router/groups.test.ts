/** Groups of a room: who gets what is sent to one (R27, R32). */
import { Code } from '@porthouse/proto/v1/code'
import { ReceiptLevel, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { Refusal } from '../../gateway/protocol/codes.ts'
import { Group } from '../../gateway/router/groups.ts'
import type { Membership } from '../../gateway/router/membership.ts'
import type { Place } from '../../gateway/router/place.ts'
import { envelopes } from '../support/heard.ts'
import type { MemorySocket } from '../support/memory-socket.ts'
import { plainPlace } from '../support/plain-place.ts'
import { Switchboard } from '../support/switchboard.ts'

const ALL = { name: 'crew', open: true, delivery: 'all' } as const
const ONE = { name: 'workers', open: true, delivery: 'one' } as const

let board: Switchboard
let place: Place
let origin: MemorySocket
let sender: Membership

beforeEach(() => {
  board = new Switchboard()
  place = board.place('acme/shop')
  place.config = { ...plainPlace, groups: [ALL, ONE] }
  origin = board.socket()
  sender = origin.enter(place)
})

function send(routing: object = {}, from = origin) {
  return board.publish(from, {
    routing: { receipt: ReceiptLevel.ROUTED, ...routing },
    content: { case: 'text', value: 'hi' },
  })
}

function memberOf(...groups: string[]): MemorySocket {
  const socket = board.socket()
  const member = socket.enter(place)
  for (const name of groups) place.groups.get(name)?.join(member)
  return socket
}

function counts(...sockets: MemorySocket[]): number[] {
  return sockets.map((socket) => envelopes(socket.take()).length)
}

describe('a message to a group', () => {
  test("reaches all of it but the sender, as a direct message with the group's address", () => {
    const [ann, bob, other] = [memberOf('crew'), memberOf('crew'), memberOf()]
    place.groups.get('crew')?.join(sender)
    const outcome = send({ to: ['group:acme/shop/crew'] })
    expect(outcome).toMatchObject({ status: ReceiptStatus.ROUTED, sockets: 2, sequence: 0 })
    const [envelope] = envelopes(ann.take())
    expect(envelope?.stamp).toMatchObject({
      target: 'group:acme/shop/crew',
      route: 0,
      sequence: 0n,
    })
    expect(counts(bob, other, origin)).toEqual([1, 0, 0])
    expect(place.sequence).toBe(0)
  })

  test('is void where nobody is in it', () => {
    expect(send({ to: ['group:acme/shop/crew'] })).toMatchObject({
      status: ReceiptStatus.VOID,
      sockets: 0,
    })
  })

  test('goes by any name of the room, and is sent once however it is named', () => {
    board.graph.addPlace(place, ['acme/11111111-1111-4111-8111-111111111111'])
    const ann = memberOf('crew')
    send({
      to: ['group:acme/shop/crew', 'group:acme/11111111-1111-4111-8111-111111111111/crew'],
    })
    expect(counts(ann)).toEqual([1])
  })

  test.each([
    ['group:acme/shop/nobody', Code.TARGET_UNKNOWN],
    ['group:acme/attic/crew', Code.ENTRY_NOT_PERMITTED],
    ['group:acme/shop/__proto__', Code.ADDRESS_INVALID],
    ['group:acme/shop/constructor', Code.TARGET_UNKNOWN],
  ])('to %s is refused', (to, code) => {
    board.place('acme/attic')
    expect(send({ to: [to] })).toMatchObject({ status: ReceiptStatus.REJECTED, code })
  })

  test('needs the right to send to the whole room', () => {
    const ann = memberOf('crew')
    const to = ['group:acme/shop/crew']
    const confined = sender.senders.map((each) => ({ ...each, channels: ['till'] }))
    for (const senders of [[], confined]) {
      sender.senders = senders
      sender.free = undefined
      expect(send({ to }).code).toBe(Code.SEND_NOT_PERMITTED)
    }
    const stranger = board.socket()
    expect(send({ to }, stranger).code).toBe(Code.ENTRY_NOT_PERMITTED)
    expect(counts(ann)).toEqual([0])
  })

  test("keeps the room's limits and structure", () => {
    memberOf('crew')
    const to = ['group:acme/shop/crew']
    const limits = { ...plainPlace.limits, payloadBytes: 1 }
    place.config = { ...plainPlace, groups: [ALL], limits }
    expect(send({ to }).code).toBe(Code.PAYLOAD_TOO_LARGE)
    const admit = () => {
      throw new Refusal(Code.CONTENT_INVALID, 'no')
    }
    place.config = { ...plainPlace, groups: [ALL], structure: { admit, textOf: () => undefined } }
    expect(send({ to }).code).toBe(Code.CONTENT_INVALID)
    place.config = { ...plainPlace, groups: [ALL], channelsOnly: true, channels: ['till'] }
    expect(send({ to }).status).toBe(ReceiptStatus.ROUTED)
  })

  test('claims nothing of a store', () => {
    memberOf('crew')
    place.stores = true
    const { code } = send({ to: ['group:acme/shop/crew'], receipt: ReceiptLevel.STORED })
    expect(code).toBe(Code.NO_HISTORY)
  })

  test('is picked up by one once under one key', () => {
    const workers = [memberOf('workers'), memberOf('workers')]
    const routing = { to: ['group:acme/shop/workers'], idempotencyKey: 'k' }
    expect(send(routing).status).toBe(ReceiptStatus.ROUTED)
    expect(send(routing).status).toBe(ReceiptStatus.DUPLICATE)
    expect(counts(...workers)).toEqual([1, 0])
  })
})

describe('the default target', () => {
  beforeEach(() => {
    origin.target = { kind: 'room', membership: sender, channel: 'door' }
  })

  test('is a channel or a group of the room, also for who entered by a channel', () => {
    const [ann, till] = [memberOf('crew'), board.socket()]
    place.listen(till.enter(place), 'till')
    place.config = {
      ...plainPlace,
      groups: [ALL],
      defaultTarget: { kind: 'channel', channel: 'till' },
    }
    send()
    board.endTurn()
    expect(counts(ann, till)).toEqual([0, 1])
    place.config = { ...plainPlace, groups: [ALL], defaultTarget: { kind: 'group', group: 'crew' } }
    send()
    board.endTurn()
    expect(envelopes(ann.take())[0]?.stamp?.target).toBe('group:acme/shop/crew')
    expect(counts(till)).toEqual([0])
  })

  test('gives way to a route, and is refused where its group is gone', () => {
    const listener = board.socket()
    place.listen(listener.enter(place), '')
    place.config = { ...plainPlace, defaultTarget: { kind: 'group', group: 'crew' } }
    expect(send({ route: place.route }).sockets).toBe(1)
    expect(send()).toMatchObject({ code: Code.TARGET_UNKNOWN })
  })
})

describe('one in turn', () => {
  test('gives each its share, whoever comes and goes, and nothing to who is gone', () => {
    const sockets = Array.from({ length: 5 }, () => board.socket())
    const members = sockets.map((socket) => socket.enter(place))
    const step = fc.oneof(
      fc.record({ kind: fc.constant('join' as const), who: fc.nat(4) }),
      fc.record({ kind: fc.constant('leave' as const), who: fc.nat(4) }),
      fc.record({ kind: fc.constant('send' as const), who: fc.nat(4) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const group = new Group(ONE)
        // Of the model: who waits, the longest first.
        let line: number[] = []
        for (const { kind, who } of steps) {
          const member = members[who] as Membership
          if (kind === 'join') {
            if (!line.includes(who)) line.push(who)
            group.join(member)
          } else if (kind === 'leave') {
            line = line.filter((each) => each !== who)
            group.leave(member)
          } else {
            const next = line.find((each) => each !== who)
            const picked = group
              .receivers(member.socket, true)
              .map((each) => sockets.indexOf(each as never))
            expect(picked).toEqual(next === undefined ? [] : [next])
            if (next !== undefined) line = [...line.filter((each) => each !== next), next]
          }
          expect(group.size).toBe(line.length)
        }
      }),
    )
  })
})

describe('a changed config', () => {
  test('keeps members of groups that stay, but those who joined one that closed', () => {
    const [ann, bob] = [memberOf('crew'), memberOf('crew')]
    const crew = place.groups.get('crew')
    crew?.appoint(ann.memberships.get(place.route)!, true)
    place.config = { ...plainPlace, groups: [{ ...ALL, delivery: 'one' }] }
    expect(place.groups.get('crew')?.size).toBe(2)
    expect(place.groups.get('workers')).toBeUndefined()
    place.config = { ...plainPlace, groups: [{ ...ALL, open: false }] }
    expect(crew?.size).toBe(1)
    send({ to: ['group:acme/shop/crew'] })
    expect(counts(ann, bob)).toEqual([1, 0])
  })

  test('who leaves the room is in none of its groups', () => {
    const ann = memberOf('crew', 'workers')
    place.leave(ann.memberships.get(place.route)!)
    expect(send({ to: ['group:acme/shop/crew', 'group:acme/shop/workers'] }).sockets).toBe(0)
  })
})
