/** The same key from the same sender to the same destination is sent once, within bounds (R30). */
import { Code } from '@porthouse/proto/v1/code'
import { ReceiptLevel, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { IdempotencyWindow, type Remembered } from '../../gateway/router/idempotency.ts'
import type { Outcome } from '../../gateway/router/outcome.ts'
import type { Place } from '../../gateway/router/place.ts'
import type { MemorySocket } from '../support/memory-socket.ts'
import { Switchboard } from '../support/switchboard.ts'

describe('a message under a key', () => {
  let board: Switchboard
  let place: Place
  let hears: MemorySocket

  beforeEach(() => {
    board = new Switchboard({ windowMs: 1000, keys: 100 })
    place = board.place('acme/boiler')
    hears = board.socket()
    place.listen(hears.enter(place), '')
  })

  function member(client?: string): MemorySocket {
    const socket = board.socket(client ? { client } : {})
    socket.enter(place)
    return socket
  }

  function send(
    origin: MemorySocket,
    key: string,
    to = ['room:acme/boiler'],
    text = 'hi',
  ): Outcome {
    return board.publish(origin, {
      routing: { to, idempotencyKey: key, receipt: ReceiptLevel.ROUTED },
      content: { case: 'text', value: text },
    })
  }

  const uuid = ({ id }: Outcome) =>
    Buffer.from(id.bytes.subarray(id.at, id.at + 16)).toString('hex')

  test('is sent once; the others get its id and facts', () => {
    const ann = member()
    const first = send(ann, 'k')
    const again = send(ann, 'k')
    expect(again).toMatchObject({
      status: ReceiptStatus.DUPLICATE,
      sockets: 1,
      sequence: 1,
      epoch: place.epoch,
    })
    expect(uuid(again)).toBe(uuid(first))
    board.endTurn()
    expect(hears.heard).toHaveLength(1)
    expect(place.sequence).toBe(1)
  })

  test('keeps the facts of its time, and its id while thousands are made after it', () => {
    const ann = member()
    const first = uuid(send(ann, 'k'))
    place.leave(hears.memberships.get(place.route)!)
    for (let i = 0; i < 3000; i++) send(ann, '')
    const again = send(ann, 'k')
    expect(again).toMatchObject({ status: ReceiptStatus.DUPLICATE, sockets: 1, sequence: 1 })
    expect(uuid(again)).toBe(first)
  })

  test('with another body is refused, whatever else its routing says [PH-8.8]', () => {
    const ann = member()
    send(ann, 'k')
    expect(send(ann, 'k', undefined, 'ho')).toMatchObject({
      status: ReceiptStatus.REJECTED,
      code: Code.KEY_REUSED,
    })
    const accepted = board.publish(ann, {
      routing: { route: place.route, idempotencyKey: 'k', receipt: ReceiptLevel.ACCEPTED },
      content: { case: 'text', value: 'hi' },
    })
    expect(accepted.status).toBe(ReceiptStatus.DUPLICATE)
  })

  test('is another one from another sender, to another destination, or under no key', () => {
    const [ann, bob] = [member(), member()]
    const statuses = [
      send(ann, 'k'),
      send(bob, 'k'),
      send(ann, 'k', ['room:acme/boiler/temp']),
      send(ann, 'l'),
      send(ann, ''),
      send(ann, ''),
    ].map(({ status }) => status)
    expect(statuses).toEqual(Array(6).fill(ReceiptStatus.ROUTED))
  })

  test('is the same from every socket of a client', () => {
    const [one, two] = [member('client:acme/ann'), member('client:acme/ann')]
    send(one, 'k')
    expect(send(two, 'k').status).toBe(ReceiptStatus.DUPLICATE)
  })

  test('that was refused may be sent again', () => {
    const ann = board.socket()
    expect(send(ann, 'k').status).toBe(ReceiptStatus.REJECTED)
    ann.enter(place)
    expect(send(ann, 'k').status).toBe(ReceiptStatus.ROUTED)
  })

  test('to several is DUPLICATE only where none was new [PH-8.9]', () => {
    const ann = member()
    const [room, channel] = ['room:acme/boiler', 'room:acme/boiler/temp']
    const first = send(ann, 'k', [room])
    const more = send(ann, 'k', [room, channel])
    expect(more).toMatchObject({ status: ReceiptStatus.ROUTED, sockets: 2, sequence: 0 })
    expect(uuid(more)).not.toBe(uuid(first))
    const again = send(ann, 'k', [room, channel])
    expect(again).toMatchObject({ status: ReceiptStatus.DUPLICATE, sockets: 2, sequence: 0 })
    expect(uuid(again)).toBe(uuid(first))
  })

  test('is forgotten after the window', () => {
    const ann = member()
    send(ann, 'k')
    board.now += 999
    expect(send(ann, 'k').status).toBe(ReceiptStatus.DUPLICATE)
    board.now += 1
    expect(send(ann, 'k').status).toBe(ReceiptStatus.ROUTED)
    board.now += 999
    expect(send(ann, 'k').status).toBe(ReceiptStatus.DUPLICATE)
  })
})

test('the window remembers the newest keys of its time, and never more than it may', () => {
  const calls = fc.array(fc.record({ key: fc.nat(6), body: fc.nat(1), wait: fc.nat(40) }))
  fc.assert(
    fc.property(calls, fc.nat(4), (played, keys) => {
      const window = new IdempotencyWindow({ windowMs: 100, keys })
      let kept: { key: number; body: number; at: number; sockets: number }[] = []
      let now = 0
      for (const [i, { key, body, wait }] of played.entries()) {
        now += wait
        const known = kept.find((each) => each.key === key && now - each.at < 100)
        const recall = window.recall(`${key}`, `${body}`, now)
        if (!known) expect(recall.outcome).toBe('new')
        else if (known.body !== body) expect(recall.outcome).toBe('reused')
        else expect(recall).toMatchObject({ keyed: { first: { sockets: known.sockets } } })
        if (known) continue
        window.ended(window.begin(`${key}`, `${body}`, now), facts(i))
        const others = kept.filter((each) => each.key !== key)
        kept = [...others, { key, body, at: now, sockets: i }].slice(keys === 0 ? Infinity : -keys)
      }
    }),
  )
})

function facts(sockets: number): Remembered {
  return {
    id: { bytes: Buffer.alloc(16), at: 0 },
    sockets,
    sequence: 0,
    epoch: 0,
    stored: false,
    kept: false,
  }
}
