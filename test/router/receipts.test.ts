/** What a receipt says: no more than what has happened, and every destination answered for. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import type { RoutingSchema } from '@porthouse/proto/v1/envelope'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import { ReceiptLevel, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { beforeEach, describe, expect, test } from 'vitest'
import { Refusal } from '../../gateway/protocol/codes.ts'
import { scanEnvelope } from '../../gateway/protocol/scan-envelope.ts'
import type { Place } from '../../gateway/router/place.ts'
import { limits } from '../support/limits.ts'
import type { MemorySocket } from '../support/memory-socket.ts'
import { Switchboard } from '../support/switchboard.ts'

type RoutingInit = Exclude<MessageInitShape<typeof RoutingSchema>, { $typeName: unknown }>

let board: Switchboard
let place: Place
let sender: MemorySocket

beforeEach(() => {
  board = new Switchboard()
  place = board.place('acme/boiler')
  sender = board.socket({ accounts: ['acme'] })
  sender.enter(place)
})

function listener(filter = '', at = place): MemorySocket {
  const socket = board.socket()
  at.listen(socket.enter(at), filter)
  return socket
}

function send(routing: RoutingInit, text = 'hi') {
  return board.publish(sender, {
    routing: { receipt: ReceiptLevel.ROUTED, ...routing } as RoutingInit,
    content: { case: 'text', value: text },
  })
}

describe('the status', () => {
  test('is ROUTED with the number of sockets that it reached, not those of the sender', () => {
    place.listen(sender.memberships.get(place.route)!, '')
    listener()
    listener('temp')
    expect(send({ route: place.route })).toMatchObject({
      status: ReceiptStatus.ROUTED,
      sockets: 1,
      sequence: 1,
      epoch: place.epoch,
    })
    expect(send({ route: place.route, channel: 'temp' })).toMatchObject({ sockets: 2, sequence: 2 })
  })

  test('is ROUTED to himself where the room echoes', () => {
    const echo = board.place('acme/echo', { echo: true })
    echo.listen(sender.enter(echo), '')
    expect(send({ route: echo.route })).toMatchObject({
      status: ReceiptStatus.ROUTED,
      sockets: 1,
    })
  })

  test('is VOID where it reached nobody, and the position is taken all the same', () => {
    expect(send({ route: place.route })).toMatchObject({ status: ReceiptStatus.VOID, sequence: 1 })
    listener()
    expect(send({ route: place.route })).toMatchObject({ sequence: 2 })
  })

  test('is ACCEPTED where no more was asked for, with the facts that are known', () => {
    listener()
    expect(send({ route: place.route, receipt: ReceiptLevel.ACCEPTED })).toMatchObject({
      status: ReceiptStatus.ACCEPTED,
      sockets: 1,
      sequence: 1,
    })
  })

  test.each([
    [ReceiptLevel.STORED, Code.NO_HISTORY],
    [9 as ReceiptLevel, Code.UNIMPLEMENTED],
  ])(
    'is REJECTED at a level that cannot be reached, and nothing is sent [PH-8.7]',
    (level, code) => {
      const hears = listener()
      expect(send({ route: place.route, receipt: level })).toMatchObject({
        status: ReceiptStatus.REJECTED,
        code,
      })
      board.endTurn()
      expect(hears.heard).toEqual([])
      expect(place.sequence).toBe(0)
    },
  )

  test('is REJECTED without the right to send', () => {
    const mute = board.place('acme/mute')
    sender.enter(mute, { maySend: false })
    expect(send({ route: mute.route }).code).toBe(Code.SEND_NOT_PERMITTED)
    expect(send({ to: ['room:acme/mute'] }).code).toBe(Code.SEND_NOT_PERMITTED)
  })
})

describe('a destination is refused', () => {
  test.each<[string, RoutingInit, Code]>([
    ['of an unknown route', { route: 99 }, Code.ROUTE_UNKNOWN],
    ['of a channel that is none', { route: 1, channel: 'a//b' }, Code.ADDRESS_INVALID],
    ['of a channel that is a filter', { route: 1, channel: 'a/*' }, Code.ADDRESS_INVALID],
    ['of a channel too deep', { route: 1, channel: `${'a/'.repeat(16)}a` }, Code.NESTING_TOO_DEEP],
    ['of no kind', { to: ['acme/boiler'] }, Code.ADDRESS_INVALID],
    ['of a room that he is not in', { to: ['room:acme/none'] }, Code.ENTRY_NOT_PERMITTED],
    ['of a group that is not there', { to: ['group:acme/boiler/debug'] }, Code.TARGET_UNKNOWN],
    ['of a lobby that he is not in', { to: ['lobby:acme'] }, Code.ENTRY_NOT_PERMITTED],
  ])('%s', (_, routing, code) => {
    const outcome = send(routing)
    expect(outcome).toMatchObject({ status: ReceiptStatus.REJECTED, code })
    expect(outcome.refusals).toHaveLength(1)
  })

  test('with the reason that the sender could not enter it for', () => {
    const value = { routing: { to: ['room:acme/shut'] } }
    const bytes = Buffer.from(toBinary(EnvelopeSchema, create(EnvelopeSchema, value)))
    const barred = new Map([['room:acme/shut', new Refusal(Code.ROOM_UNKNOWN, 'no such room')]])
    const outcome = board.router.publish(sender, scanEnvelope(bytes, 0, bytes.length, limits), {
      barred,
      entered: [...barred.keys()],
      waitedMs: 0,
    })
    expect(outcome).toMatchObject({ status: ReceiptStatus.REJECTED, code: Code.ROOM_UNKNOWN })
  })
})

describe('of several destinations', () => {
  test('those that refuse are named as written, and the others get it [PH-8.6]', () => {
    const hears = listener('temp')
    const to = ['room:acme/boiler/temp', 'room:acme/none', 'socket:short', 'room:acme/boiler']
    const outcome = send({ to })
    expect(outcome).toMatchObject({ status: ReceiptStatus.ROUTED, sockets: 1, destinations: 4 })
    expect(outcome.refusals.map(({ name, code }) => [name, code])).toEqual([
      ['room:acme/none', Code.ENTRY_NOT_PERMITTED],
      ['socket:short', Code.ADDRESS_INVALID],
    ])
    board.endTurn()
    expect(hears.heard).toHaveLength(1)
  })

  test('all refused is REJECTED with the code of the first', () => {
    const outcome = send({ to: ['group:acme/boiler/debug', 'room:acme/none'] })
    expect(outcome).toMatchObject({ status: ReceiptStatus.REJECTED, code: Code.TARGET_UNKNOWN })
    expect(outcome.refusals).toHaveLength(2)
  })

  test('the position is told only where it went to one room alone [PH-8.5]', () => {
    const other = board.place('acme/other')
    sender.enter(other)
    const both = { to: ['room:acme/boiler', 'room:acme/other'] }
    expect(send(both)).toMatchObject({ sequence: 0, epoch: 0 })
    expect(send({ to: ['room:acme/boiler', 'room:acme/none'] })).toMatchObject({ sequence: 2 })
    const withDirect = { to: ['room:acme/boiler', 'socket:aaaaaaaaaaaaaaaa'] }
    expect(send(withDirect)).toMatchObject({ sequence: 0, epoch: 0 })
  })

  test.each(['', 'k'])(
    'one that is named twice counts once [PH-6.7], under key "%s" too',
    (key) => {
      const hears = listener()
      const to = ['room:acme/boiler', 'room:acme/boiler/temp', 'room:acme/boiler']
      const one = send({ to: [to[0]!, to[0]!], idempotencyKey: key })
      expect(one).toMatchObject({ status: ReceiptStatus.ROUTED, sockets: 1, sequence: 1 })
      expect(send({ to }, 'ho').sockets).toBe(2)
      board.endTurn()
      expect(hears.heard).toHaveLength(3)
    },
  )

  test('all share one id [PH-6.13]', () => {
    const other = board.place('acme/other')
    sender.enter(other)
    const [one, two] = [listener(), listener('', other)]
    const { id } = send({ to: ['room:acme/boiler', 'room:acme/other'] })
    board.endTurn()
    const wanted = new Uint8Array(id.bytes.subarray(id.at, id.at + 16))
    for (const socket of [one, two]) {
      expect(socket.heard[0]!.body).toMatchObject({ value: { stamp: { id: wanted } } })
    }
  })
})
