/** Queues of several rooms that share an account's allowance, beside plain lists. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Allowance, type Entry, Queue } from '../../gateway/programs/queue.ts'
import type { WaitingMessage } from '../../gateway/router/intake.ts'
import type { Membership } from '../../gateway/router/membership.ts'

const MESSAGES = 4
const BYTES = 20
const ROOMS = 2

type Action = { room: number } & (
  | { does: 'message'; bytes: number }
  | { does: 'comes' | 'goes' | 'forgets'; who: number }
  | { does: 'takes' | 'puts back' }
)

const room = fc.nat(ROOMS - 1)
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ room, does: fc.constant('message'), bytes: fc.nat(BYTES) }),
  fc.record({ room, does: fc.constantFrom('comes', 'goes', 'forgets'), who: fc.nat(2) }),
  fc.record({ room, does: fc.constantFrom('takes', 'puts back') }),
)

const people = [0, 1, 2].map(() => ({}) as Membership)

const message = (bytes: number) => ({ body: { start: 3, end: 3 + bytes } }) as WaitingMessage

class Model {
  readonly queue: Queue
  entries: Entry[] = []
  taken: Entry | undefined

  constructor(allowance: Allowance) {
    this.queue = new Queue(MESSAGES, allowance)
  }

  get messages(): WaitingMessage[] {
    return this.entries.flatMap((entry) => (entry.kind === 'message' ? [entry.waiting] : []))
  }

  get bytes(): number {
    return this.messages.reduce((sum, { body }) => sum + body.end - body.start, 0)
  }
}

function run(models: readonly Model[], action: Action): void {
  const model = models[action.room]!
  const { queue, entries } = model
  switch (action.does) {
    case 'message': {
      const waiting = message(action.bytes)
      const used = models.reduce((sum, { bytes }) => sum + bytes, 0)
      const fits = model.messages.length < MESSAGES && used + action.bytes <= BYTES
      expect(queue.addMessage(waiting, 7)).toBe(fits)
      if (fits) entries.push({ kind: 'message', waiting, since: 7 })
      return
    }
    case 'comes':
    case 'goes': {
      const member = people[action.who]!
      const entry: Exclude<Entry, { kind: 'message' }> =
        action.does === 'goes' ? { kind: 'left', member } : { kind: 'initial', member, again: true }
      queue.add(entry)
      entries.push(entry)
      return
    }
    case 'forgets': {
      const is = (entry: Entry) => entry.kind === 'initial' && entry.member === people[action.who]
      const at = entries.findIndex(is)
      expect(queue.forgetInitial(people[action.who]!)).toBe(at !== -1)
      if (at !== -1) entries.splice(at, 1)
      return
    }
    case 'takes':
      model.taken = entries.shift()
      expect(queue.shift()).toEqual(model.taken)
      return
    case 'puts back':
      // Others may have come meanwhile: it is allowed all the same.
      if (!model.taken) return
      queue.addFirst([model.taken])
      entries.unshift(model.taken)
      model.taken = undefined
  }
}

test('keep their order, their bounds and what they share', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const allowance = new Allowance(BYTES)
      const models = Array.from({ length: ROOMS }, () => new Model(allowance))
      for (const each of actions) {
        run(models, each)
        for (const { queue, entries } of models) {
          expect(queue.size).toBe(entries.length)
          const coming = entries.filter((entry) => entry.kind === 'initial')
          expect(queue.awaited).toEqual(new Set(coming.map(({ member }) => member)))
        }
      }
      // When all is out, all of the allowance is there again, and no more.
      for (const { queue } of models) while (queue.shift());
      expect([allowance.take(BYTES + 1), allowance.take(BYTES)]).toEqual([false, true])
    }),
    { numRuns: 300 },
  )
})
