/** Who hears what, whatever happens meanwhile: what was sent while he listened. */
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { binaryLane } from '../../gateway/ingress/websocket/binary-lane.ts'
import { jsonLane } from '../../gateway/ingress/websocket/json-lane.ts'
import { matchesChannel } from '../../gateway/protocol/channel.ts'
import type { Membership } from '../../gateway/router/membership.ts'
import type { Place } from '../../gateway/router/place.ts'
import { envelopes, textOf } from '../support/heard.ts'
import type { MemorySocket } from '../support/memory-socket.ts'
import { Switchboard } from '../support/switchboard.ts'

const FILTERS = ['', 'a', 'b', 'a/b', '*', '**', 'a/*', 'a/**', '*/b']
const CHANNELS = ['', 'a', 'b', 'a/b', 'a/c', 'a/b/c']
const LANES = [binaryLane, binaryLane, binaryLane, jsonLane, jsonLane]

type Step =
  | { does: 'listen'; who: number; room: number; filter: string }
  | { does: 'unlisten'; who: number; room: number; filter: string }
  | { does: 'leave'; who: number; room: number }
  | { does: 'send'; who: number; room: number; channel: string }
  | { does: 'endTurn' }
  | { does: 'busy'; busy: boolean }
  | { does: 'elapse' }

const who = fc.nat(LANES.length - 1)
const room = fc.nat(1)
const filter = fc.constantFrom(...FILTERS)
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ does: fc.constant('listen' as const), who, room, filter }),
    },
    fc.record({ does: fc.constant('unlisten' as const), who, room, filter }),
    fc.record({ does: fc.constant('leave' as const), who, room }),
    {
      weight: 6,
      arbitrary: fc.record({
        does: fc.constant('send' as const),
        who,
        room,
        channel: fc.constantFrom(...CHANNELS),
      }),
    },
    fc.record({ does: fc.constant('endTurn' as const) }),
    fc.record({ does: fc.constant('busy' as const), busy: fc.boolean() }),
    fc.record({ does: fc.constant('elapse' as const) }),
  ),
  { maxLength: 80 },
)

/**
 * Two rooms, in one of which everybody hears himself and messages wait while the loop is busy, and
 * what each socket should hear of each.
 */
class Model {
  readonly #board = new Switchboard()
  readonly #places: Place[]
  readonly #sockets: MemorySocket[]
  readonly #members: Membership[][]
  readonly #expected: string[][][]
  readonly #sent: number[]

  constructor() {
    const two = { echo: true, flushWindowMs: 5 }
    this.#places = [this.#board.place('acme/one'), this.#board.place('acme/two', two)]
    this.#sockets = LANES.map((lane) => this.#board.socket({ lane }))
    this.#members = this.#places.map((place) => this.#sockets.map((each) => each.enter(place)))
    this.#expected = this.#places.map(() => this.#sockets.map(() => []))
    this.#sent = this.#places.map(() => 0)
  }

  play(step: Step): void {
    if (step.does === 'endTurn') return this.#board.endTurn()
    if (step.does === 'elapse') return this.#board.loop.elapse()
    if (step.does === 'busy') {
      this.#board.loop.load.busy = step.busy
      return
    }
    const member = this.#members[step.room]![step.who]!
    switch (step.does) {
      case 'listen':
        return member.place.listen(member, step.filter)
      case 'unlisten':
        return member.place.unlisten(member, step.filter)
      case 'leave':
        return member.place.leave(member)
      case 'send':
        return this.#send(member, step.room, step.who, step.channel)
    }
  }

  #send(member: Membership, room: number, who: number, channel: string): void {
    const sequence = ++this.#sent[room]!
    const text = `${room}: ${sequence} on ${channel}`
    const listeners = this.#members[room]!.map(({ filters }) =>
      [...filters].some((filter) => matchesChannel(filter, channel)),
    )
    if (!member.place.config.echo) listeners[who] = false
    for (const [i, listens] of listeners.entries()) {
      if (listens) this.#expected[room]![i]!.push(text)
    }
    const routing = { route: member.place.route, channel, receipt: ReceiptLevel.ROUTED }
    const content = { case: 'text' as const, value: text }
    const outcome = this.#board.publish(this.#sockets[who]!, { routing, content })
    const sockets = listeners.filter((listens) => listens).length
    expect(outcome).toMatchObject({ sockets, sequence, epoch: member.place.epoch })
  }

  check(): void {
    this.#board.loop.elapse()
    this.#board.endTurn()
    for (const [i, socket] of this.#sockets.entries()) {
      const heard = envelopes(socket.heard)
      for (const [room, { route }] of this.#places.entries()) {
        const texts = heard.filter(({ stamp }) => stamp?.route === route).map(textOf)
        expect(texts).toEqual(this.#expected[room]![i])
      }
      for (const envelope of heard) {
        expect(textOf(envelope)).toContain(
          `${envelope.stamp?.sequence} on ${envelope.stamp?.channel}`,
        )
        expect(envelope.routing).toBeUndefined()
      }
    }
  }
}

test('each hears what was sent while he listened, once, in order, and not himself', () => {
  fc.assert(
    fc.property(steps, (played) => {
      const model = new Model()
      for (const step of played) model.play(step)
      model.check()
    }),
    { numRuns: 300 },
  )
})

describe('a turn', () => {
  const long = 'x'.repeat(200_000)

  function crowd(count: number) {
    const board = new Switchboard()
    const place = board.place('acme/one')
    const sockets = Array.from({ length: count }, () => board.socket())
    for (const socket of sockets) place.listen(socket.enter(place), '')
    const say = (who: number, text: string) =>
      board.publish(sockets[who]!, {
        routing: { route: place.route },
        content: { case: 'text', value: text },
      })
    return { board, place, sockets, say }
  }

  test('delivers nothing before its end, and then one run of frames for each', () => {
    const { board, sockets, say } = crowd(2)
    for (const text of ['one', 'two', 'three']) say(0, text)
    expect(sockets[1]!.heard).toEqual([])
    board.endTurn()
    expect(envelopes(sockets[1]!.heard).map(textOf)).toEqual(['one', 'two', 'three'])
  })

  test('of very much is handed over in parts, and still without his own', () => {
    const { board, sockets, say } = crowd(3)
    for (let i = 0; i < 6; i++) say(i % 2, `${i} ${long}`)
    expect(sockets[2]!.heard.length).toBeGreaterThan(0)
    board.endTurn()
    const heard = sockets.map((socket) => envelopes(socket.heard).map((each) => textOf(each)[0]))
    expect(heard.map((each) => each.join(''))).toEqual(['135', '024', '012345'])
  })

  test('gives members of one lane the same bytes', () => {
    const { board, place, say } = crowd(1)
    const seen = new Set<Buffer>()
    for (let i = 0; i < 3; i++) {
      const socket = board.socket()
      socket.deliver = (batch, from, to) => void seen.add(batch.bytes(from, to))
      place.listen(socket.enter(place), '')
    }
    say(0, 'once')
    say(0, 'and again')
    board.endTurn()
    expect(seen.size).toBe(1)
  })
})

test('each cell of a large table is heard by its own listeners, and by who hears them all', () => {
  const board = new Switchboard()
  const place = board.place('acme/table')
  const cells = Array.from({ length: 5000 }, (_, i) => `cell/${i}`)
  const listen = (filter: string) => {
    const socket = board.socket()
    place.listen(socket.enter(place), filter)
    return socket
  }
  const sockets = cells.map(listen)
  const all = listen('cell/*')
  const sender = board.socket()
  sender.enter(place)
  for (const channel of cells) {
    const content = { case: 'text' as const, value: channel }
    board.publish(sender, { routing: { route: place.route, channel }, content })
  }
  board.endTurn()
  expect(envelopes(all.heard).map(textOf)).toEqual(cells)
  expect(sockets.map(({ heard }) => envelopes(heard).map(textOf).join())).toEqual(cells)
})

test('audiences that nobody is in are forgotten', () => {
  const board = new Switchboard()
  const place = board.place('acme/one')
  const stays = board.socket().enter(place)
  place.listen(stays, 'a')
  for (let i = 0; i < 50; i++) {
    const member = board.socket().enter(place)
    place.listen(member, `a/${i}`)
    place.listen(member, '**')
    place.unlisten(member, `a/${i}`)
    place.leave(member)
    expect(member.audience).toBeUndefined()
  }
  expect(place.audiencesOf('a').map(({ size }) => size)).toEqual([1])
  expect(place.audiencesOf('a/1')).toEqual([])
  expect(place.audiencesOf('')).toEqual([])
})
