/** Flows: what is left of one, and which of its locks is next (R18). */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  advance,
  choices,
  type Flow,
  type LockSpec,
  locksIn,
  partsOf,
  remaining,
} from '../../gateway/locks/flow.ts'
import { flowOf, isSatisfied, shapes } from '../support/flows.ts'

const flow = shapes(['a', 'b', 'c']).map(flowOf)
/** A flow and some of its locks. */
const someOf = flow.chain((given) =>
  fc.tuple(
    fc.constant(given),
    fc.subarray(locksIn(given)).map((some) => new Set(some)),
  ),
)
const picks = fc.array(fc.nat(15), { minLength: 16, maxLength: 16 })

/** Resolves one of the choices after the other; gives those that it took. */
function resolveAll(given: Flow, picked: readonly number[]): Set<LockSpec> {
  const taken = new Set<LockSpec>()
  let left: Flow | undefined = given
  while (left) {
    const open = choices(left)
    const lock = open[(picked[taken.size % picked.length] ?? 0) % open.length] as LockSpec
    taken.add(lock)
    left = advance(left, lock)
  }
  return taken
}

describe('what is left of a flow', () => {
  test('is nothing if and only if it is satisfied', () => {
    fc.assert(
      fc.property(someOf, ([given, proved]) => {
        const left = remaining(given, (lock) => proved.has(lock))
        expect(left === undefined).toBe(isSatisfied(given, proved))
      }),
      { numRuns: 500 },
    )
  })

  test('is satisfied by what, with what was proved, satisfies the whole', () => {
    const two = flow.chain((given) => {
      const some = fc.subarray(locksIn(given)).map((locks) => new Set(locks))
      return fc.tuple(fc.constant(given), some, some)
    })
    fc.assert(
      fc.property(two, ([given, first, then]) => {
        const left = remaining(given, (lock) => first.has(lock))
        const both = new Set([...first, ...then])
        expect(left === undefined || isSatisfied(left, both)).toBe(isSatisfied(given, both))
        // Nobody is asked for what he has proved.
        if (left) expect(locksIn(left).filter((lock) => first.has(lock))).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('is never more than the whole, in the same order', () => {
    fc.assert(
      fc.property(someOf, ([given, proved]) => {
        const left = remaining(given, (lock) => proved.has(lock))
        const kept = left ? locksIn(left) : []
        expect(locksIn(given).filter((lock) => kept.includes(lock))).toEqual(kept)
      }),
    )
  })
})

describe('the next locks of a flow', () => {
  test('are some, and resolving them one by one satisfies it, whichever are chosen', () => {
    fc.assert(
      fc.property(flow, picks, (given, picked) => {
        const taken = resolveAll(given, picked)
        expect(isSatisfied(given, taken)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('are never more than needed: without the last one it is not satisfied', () => {
    fc.assert(
      fc.property(flow, picks, (given, picked) => {
        const taken = resolveAll(given, picked)
        for (const lock of taken) {
          expect(isSatisfied(given, new Set([...taken].filter((each) => each !== lock)))).toBe(
            false,
          )
        }
      }),
      { numRuns: 500 },
    )
  })

  test('are the first of all, and those of every branch of any', () => {
    fc.assert(
      fc.property(flow, (given) => {
        const expected = (each: Flow): LockSpec[] => {
          if (each.kind === 'lock') return [each.lock]
          return each.kind === 'all'
            ? expected(each.flows[0] as Flow)
            : each.flows.flatMap(expected)
        }
        expect(choices(given)).toEqual(expected(given))
      }),
    )
  })
})

describe('the parts of a flow', () => {
  test('are satisfied together if and only if it is', () => {
    fc.assert(
      fc.property(someOf, ([given, proved]) => {
        const parts = partsOf(given)
        expect(parts.every((part) => isSatisfied(part, proved))).toBe(isSatisfied(given, proved))
        expect(parts.flatMap(locksIn)).toEqual(locksIn(given))
        expect(parts.filter(({ kind }) => kind === 'all')).toEqual([])
      }),
    )
  })
})
