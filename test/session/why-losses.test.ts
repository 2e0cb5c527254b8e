/**
 * What a slow socket lost, told with the path of each message (R46, R49): the very messages that it
 * never got, by the policy of their room or by the setting that ended it.
 */
import { create } from '@bufbuild/protobuf'
import { Step, Verdict } from '@porthouse/proto/admin/v1/trail'
import { Policy, SlowConsumersSchema } from '@porthouse/proto/room/v1/slow_consumers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { stepsOf } from '../../gateway/why/steps.ts'
import { text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'

const PAYLOAD = 'x'.repeat(50_000)
const OUTBOX = { bytes: 600_000, ageMs: 2_000 }

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval'] }))
afterEach(() => void vi.useRealTimers())

/** A room of this policy, whom it loses to, and the ids of what is sent meanwhile. */
async function lossy(policy: Policy) {
  const hall = new Hall({ outbox: OUTBOX, limits: { payloadBytes: 262_144 } })
  const slow = { case: 'slowConsumers', value: create(SlowConsumersSchema, { policy }) } as const
  hall.store.room('acme/hall', OPEN, slow)
  const [sender, reader] = [hall.open('/acme/hall'), hall.open('/acme/hall')]
  await hall.settle()
  for (const guest of [sender, reader]) guest.take()
  reader.stick()
  const ids = Array.from({ length: 20 }, (_, i) => {
    sender.say(text(i + 1, `${i} ${PAYLOAD}`, { route: 1 }))
    hall.endTurn()
    return receiptId(sender)
  })
  await hall.settle()
  return { hall, reader, ids }
}

function receiptId(sender: Guest): Buffer {
  for (const { body } of sender.take())
    if (body.case === 'receipt') return Buffer.from(body.value.id)
  throw new Error('no receipt')
}

/** Positions that somebody lost, by what is kept of each message, and what decided. */
function losses(hall: Hall, ids: readonly Buffer[]) {
  return ids.flatMap((bytes) => {
    const trail = hall.core.trails!.find({ bytes, at: 0 })!
    const lost = stepsOf(trail, () => 'all').filter(({ step }) => step === Step.OUTBOX)
    for (const each of lost) expect(each.verdict).toBe(Verdict.LOST)
    return lost.map(({ subject, sequence, decidedBy }) => ({ subject, sequence, decidedBy }))
  })
}

/** Positions that a reader has got in the end. */
function got(reader: Guest): bigint[] {
  return reader.take().flatMap(({ body }) => {
    return body.case === 'envelope' ? [body.value.stamp!.sequence] : []
  })
}

describe.each([
  ['DROP_OLDEST', Policy.DROP_OLDEST],
  ['DROP_NEWEST', Policy.DROP_NEWEST],
  ['CONFLATE', Policy.CONFLATE],
])('%s', (_, policy) => {
  test('what was not got was lost, each by its position, and nothing else', async () => {
    const { hall, reader, ids } = await lossy(policy)
    const { address } = reader.session
    reader.unstick()
    await hall.settle()
    const lost = losses(hall, ids)
    expect(lost.length).toBeGreaterThan(0)
    const all = [...got(reader), ...lost.map(({ sequence }) => sequence!)].toSorted((a, b) =>
      a < b ? -1 : 1,
    )
    expect(all).toEqual(ids.map((_, i) => BigInt(i + 1)))
    for (const each of lost) {
      expect(each.subject).toBe(address)
      expect(each.decidedBy).toBe('config room:acme/hall blocks[1].slowConsumers.policy')
    }
  })
})

test('DISCONNECT loses all that waits, by that policy', async () => {
  const { hall, reader, ids } = await lossy(Policy.DISCONNECT)
  expect(reader.session.closed).toBe(true)
  const decided = new Set(losses(hall, ids).map(({ decidedBy }) => decidedBy))
  expect([...decided]).toEqual(['config room:acme/hall blocks[1].slowConsumers.policy'])
})

test('one that takes nothing for too long loses it by that setting', async () => {
  const { hall, reader, ids } = await lossy(Policy.CONFLATE)
  const before = losses(hall, ids).length
  hall.pass(OUTBOX.ageMs + 1_000)
  expect(reader.session.closed).toBe(true)
  const lost = losses(hall, ids)
  expect(lost.length).toBeGreaterThan(before)
  expect(lost.map(({ decidedBy }) => decidedBy)).toContain('setting outbox.ageMs')
})
