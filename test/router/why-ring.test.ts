/** What is kept of paths is bounded in number, bytes and age, and holds nothing that is secret. */
import { inspect } from 'node:util'
import { Step } from '@porthouse/proto/admin/v1/trail'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { copyId } from '../../gateway/protocol/uuid7.ts'
import { straight } from '../../gateway/router/deliver.ts'
import type { WaitingMessage } from '../../gateway/router/intake.ts'
import type { Outcome } from '../../gateway/router/outcome.ts'
import { Switchboard } from '../support/switchboard.ts'

const KEPT = { messages: 10, bytes: 1_000_000, ageMs: 1_000 }

function sending(why: typeof KEPT) {
  const board = new Switchboard(undefined, why)
  const sender = board.socket()
  const place = board.place('acme/boiler')
  sender.enter(place)
  const send = (to = ['room:acme/boiler']) => board.publish(sender, { routing: { to } })
  return { board, place, send }
}

test('the last messages are kept, and no more', () => {
  const { board, send } = sending(KEPT)
  const sent = Array.from({ length: 25 }, () => send())
  expect(sent.map((each) => board.why(each) !== undefined)).toEqual([
    ...Array(15).fill(false),
    ...Array(10).fill(true),
  ])
})

test('no longer than they may be', () => {
  const { board, send } = sending(KEPT)
  const outcome = send()
  board.now += KEPT.ageMs
  expect(board.why(outcome)).toBeDefined()
  board.now += 1
  expect(board.why(outcome)).toBeUndefined()
})

test('and no more bytes than they may have, whatever is sent', () => {
  const bytes = 20_000
  const { board, send } = sending({ ...KEPT, messages: 1_000, bytes })
  const destination = fc.constantFrom('room:acme/boiler', `room:acme/${'x'.repeat(60)}`, 'oops')
  fc.assert(
    fc.property(fc.array(destination, { maxLength: 40 }), (to) => {
      send(to)
      expect(board.ring.bytes).toBeLessThanOrEqual(bytes + 40 * 600)
      send([])
      expect(board.ring.bytes).toBeLessThanOrEqual(bytes)
    }),
  )
})

test('one that waited for its store takes no more than others, once it is stored', () => {
  const { board, place, send } = sending(KEPT)
  send()
  const bytes = board.ring.bytes
  const taken: WaitingMessage[] = []
  place.intake = {
    take: (waiting) => {
      waiting.leg?.waits(Step.STORE)
      taken.push(waiting)
    },
  }
  send()
  expect(board.ring.bytes).toBeGreaterThan(2 * bytes)
  for (const waiting of taken) {
    waiting.leg?.goesOn()
    straight.take(waiting)
  }
  expect(board.ring.bytes).toBe(2 * bytes)
})

test('the one asked for is found among others, and one that never was is not', () => {
  const { board, send } = sending({ ...KEPT, messages: 500 })
  const sent = Array.from({ length: 300 }, () => {
    board.now += 1
    return send()
  })
  for (const { ownId } of sent) {
    const found = board.trails.find(ownId)?.id
    expect(found && copyId(found)).toEqual(copyId(ownId))
  }
  const other = { bytes: Buffer.alloc(16, 1), at: 0 }
  expect(board.trails.find(other)).toBeUndefined()
})

test('neither content, headers, keys nor answers are kept', () => {
  const { board } = sending(KEPT)
  const sender = board.socket({ client: 'client:acme/ann', accounts: ['acme'] })
  sender.enter(board.place('acme/vault'))
  const outcome: Outcome = board.publish(sender, {
    routing: { to: ['room:acme/vault'], idempotencyKey: 'SECRET-key' },
    content: { case: 'text', value: 'SECRET-content' },
    headers: { 'SECRET-name': 'SECRET-value' },
    replyTo: 'SECRET-reply',
    correlationId: Buffer.from('SECRET-correlation'),
  })
  const kept = inspect(board.trails.find(outcome.ownId), { depth: 8, maxStringLength: null })
  expect(kept).toContain('acme/vault')
  expect(kept).not.toContain('SECRET')
  // A view of somebody's memory would keep all of it.
  expect(kept).not.toContain(Buffer.from('SECRET').toString('hex').slice(0, 8))
})
