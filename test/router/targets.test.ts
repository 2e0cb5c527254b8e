/** Where an envelope without destinations goes (R27), and whom a direct message reaches (R32). */
import { Code } from '@porthouse/proto/v1/code'
import { ReceiptLevel, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Place } from '../../gateway/router/place.ts'
import { envelopes, textOf } from '../support/heard.ts'
import type { MemorySocket } from '../support/memory-socket.ts'
import { Switchboard } from '../support/switchboard.ts'

let board: Switchboard
let one: Place
let two: Place

beforeEach(() => {
  board = new Switchboard()
  one = board.place('acme/one')
  two = board.place('acme/two')
})

function listener(place: Place, filter = ''): MemorySocket {
  const socket = board.socket()
  place.listen(socket.enter(place), filter)
  return socket
}

function send(origin: MemorySocket, routing: object = {}) {
  return board.publish(origin, {
    routing: { receipt: ReceiptLevel.ROUTED, ...routing },
    content: { case: 'text', value: 'hi' },
  })
}

function heardBy(...sockets: MemorySocket[]): number[] {
  board.endTurn()
  return sockets.map((socket) => envelopes(socket.take()).length)
}

describe('without destinations', () => {
  test('a message goes to the place entered by, else to the own client, else nowhere', () => {
    const client = { client: 'client:acme/ann' }
    const [ann, clone] = [board.socket(client), board.socket(client)]
    const [inOne, inTwo] = [listener(one), listener(two)]
    ann.target = { kind: 'room', membership: ann.enter(one), channel: '' }
    ann.enter(two)

    expect(send(ann, { route: two.route }).sequence).toBe(1)
    expect(heardBy(inOne, inTwo, clone)).toEqual([0, 1, 0])
    expect(send(ann, { to: ['room:acme/two'] }).sequence).toBe(2)
    expect(heardBy(inOne, inTwo, clone)).toEqual([0, 1, 0])
    send(ann)
    expect(heardBy(inOne, inTwo, clone)).toEqual([1, 0, 0])
    ann.target = undefined
    // Clones of one client need no account in common to be told; they have one all the same.
    const outcome = send(ann)
    expect(outcome).toMatchObject({ status: ReceiptStatus.VOID, sockets: 0 })

    expect(send(board.socket())).toMatchObject({ status: ReceiptStatus.VOID, sequence: 0 })
  })

  test('the channel of the place entered by is kept', () => {
    const ann = board.socket()
    ann.target = { kind: 'room', membership: ann.enter(one), channel: 'temp' }
    const [room, channel, other] = [listener(one), listener(one, 'temp'), listener(one, 'b')]
    send(ann)
    expect(heardBy(room, channel, other)).toEqual([1, 1, 0])
  })

  test('the own client is its other sockets', () => {
    const client = { client: 'client:acme/ann', accounts: ['acme'] }
    const [ann, clone, third] = [board.socket(client), board.socket(client), board.socket(client)]
    expect(send(ann)).toMatchObject({ status: ReceiptStatus.ROUTED, sockets: 2, sequence: 0 })
    expect(heardBy(ann, clone, third)).toEqual([0, 1, 1])
  })
})

describe('a channel of a room', () => {
  test('is heard by the room, by itself and by filters that match it, once each', () => {
    const ann = board.socket()
    ann.enter(one)
    const sockets = ['', 'a/b', 'a/*', '*/b', '**', 'a/**', 'a', '*', 'c'].map((filter) =>
      listener(one, filter),
    )
    const many = listener(one, 'a/*')
    for (const filter of ['**', 'a/b', '*/b']) {
      one.listen(many.memberships.get(one.route)!, filter)
    }
    send(ann, { route: one.route, channel: 'a/b' })
    expect(heardBy(...sockets, many)).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 0, 1])
    send(ann, { route: one.route })
    expect(heardBy(...sockets, many)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  })
})

describe('a direct message', () => {
  const stampOf = (socket: MemorySocket) => envelopes(socket.take())[0]!.stamp!

  test('reaches a socket of the same account, with who sent it and what it was sent to', () => {
    const ann = board.socket({ accounts: ['acme'], client: 'client:acme/ann' })
    const bob = board.socket({ accounts: ['other', 'acme'] })
    const outcome = send(ann, { to: [`socket:${bob.id}`] })
    expect(outcome).toMatchObject({ status: ReceiptStatus.ROUTED, sockets: 1, sequence: 0 })
    const stamp = stampOf(bob)
    expect(stamp).toMatchObject({
      from: 'client:acme/ann',
      target: `socket:${bob.id}`,
      route: 0,
      sequence: 0n,
    })
    // An answer to either address finds him.
    expect(send(bob, { to: [stamp.from] }).sockets).toBe(1)
    expect(send(bob, { to: [`socket:${ann.id}`] }).sockets).toBe(1)
  })

  test('reaches who is in a room with the sender, if he may send to it', () => {
    const [ann, bob] = [board.socket(), board.socket()]
    bob.enter(one, { maySend: false })
    ann.enter(one)
    expect(send(ann, { to: [`socket:${bob.id}`] }).sockets).toBe(1)
    expect(send(bob, { to: [`socket:${ann.id}`] }).status).toBe(ReceiptStatus.VOID)
  })

  test.each([1, 40])('finds the common room among %s of one of them', (rooms) => {
    const [ann, bob] = [board.socket(), board.socket()]
    for (let i = 0; i < rooms; i++) ann.enter(board.place(`acme/${i}`))
    for (const socket of [ann, bob]) socket.enter(two)
    expect(send(ann, { to: [`socket:${bob.id}`] }).sockets).toBe(1)
    expect(send(bob, { to: [`socket:${ann.id}`] }).sockets).toBe(1)
  })

  test('to anybody else is as void as to one that is gone, or to oneself [PH-6.11]', () => {
    const ann = board.socket({ accounts: ['acme'] })
    const stranger = board.socket({ accounts: ['other'], client: 'client:other/eve' })
    const gone = board.socket({ accounts: ['acme'] })
    board.graph.removeSocket(gone)
    for (const to of [
      `socket:${stranger.id}`,
      'client:other/eve',
      `socket:${gone.id}`,
      'client:acme/nobody',
      `socket:${ann.id}`,
    ]) {
      const { status, sockets, refusals, code } = send(ann, { to: [to] })
      expect({ status, sockets, refusals, code }).toEqual({
        status: ReceiptStatus.VOID,
        sockets: 0,
        refusals: [],
        code: Code.UNSPECIFIED,
      })
    }
    expect(stranger.heard).toEqual([])
  })

  test('to a client reaches all of its sockets that are left', () => {
    const bob = { accounts: ['acme'], client: 'client:acme/bob' }
    const sockets = [board.socket(bob), board.socket(bob), board.socket(bob)]
    const ann = board.socket({ accounts: ['acme'] })
    board.graph.removeSocket(sockets[1]!)
    expect(send(ann, { to: ['client:acme/bob'] }).sockets).toBe(2)
    expect(sockets.map((socket) => envelopes(socket.heard).map(textOf))).toEqual([
      ['hi'],
      [],
      ['hi'],
    ])
    for (const socket of sockets) board.graph.removeSocket(socket)
    expect(board.graph.socketsOf('client:acme/bob').size).toBe(0)
  })
})
