/** Flows as configs write them: what is read, and what an admin is told is wrong (R18). */
import { create, type JsonObject, toJson } from '@bufbuild/protobuf'
import { type Flow as FlowConfig, FlowSchema } from '@porthouse/proto/room/v1/access'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Acceptor } from '../../gateway/locks/acceptor.ts'
import { type Flow, locksIn } from '../../gateway/locks/flow.ts'
import { readAccess, readFlow, readFlowJson } from '../../gateway/locks/read-flow.ts'
import { type Shape, shapes } from '../support/flows.ts'

const DEFAULTS = { tries: 3, deadlineMs: 10_000 }

/** Takes `{}` and `{"colour": "red"}`. */
function acceptor(name: string): Acceptor {
  const begin = () => ({ outcome: 'challenge', ask: { case: undefined } }) as const
  const readOptions = (options: unknown) => {
    const { colour = 'none', ...rest } = options as JsonObject
    if (Object.keys(rest).length > 0 || (colour !== 'red' && colour !== 'none')) {
      throw new Error('the colour is not red')
    }
    return { colour }
  }
  const more = { nominable: true, prompt: true, finished: () => false }
  return { name, readOptions, ...more, begin, answer: begin }
}

const ACCEPTORS = new Map(['a', 'b', 'token'].map((name) => [name, acceptor(name)]))

const lock = (name: string, more: object = {}) => ({ lock: { acceptor: name, ...more } })
const read = (json: unknown) => readFlowJson(json, ACCEPTORS, DEFAULTS)

/** As an admin writes it. */
function written(shape: Shape): FlowConfig {
  if (!('of' in shape)) {
    const { acceptor, tries } = shape
    return create(FlowSchema, { kind: { case: 'lock', value: { acceptor, tries } } })
  }
  const flows = shape.of.map(written)
  return create(FlowSchema, { kind: { case: shape.kind, value: { flows } } })
}

function shapeOf(flow: Flow): Shape {
  if (flow.kind !== 'lock') return { kind: flow.kind, of: flow.flows.map(shapeOf) }
  return { acceptor: flow.lock.acceptor, tries: flow.lock.tries }
}

const nested = (depth: number): object =>
  depth === 0 ? lock('a') : { any: { flows: [nested(depth - 1)] } }
const many = (count: number) => ({ all: { flows: Array.from({ length: count }, () => lock('a')) } })

describe('a flow', () => {
  test('is read as it is written, from a message as from JSON', () => {
    fc.assert(
      fc.property(shapes(['a', 'b']), (shape) => {
        const config = written(shape)
        fc.pre(JSON.stringify(shape).split('acceptor').length <= 17)
        const flow = readFlow(config, ACCEPTORS, DEFAULTS)
        expect(shapeOf(flow)).toEqual(shape)
        expect(readFlowJson(toJson(FlowSchema, config), ACCEPTORS, DEFAULTS)).toEqual(flow)
      }),
    )
  })

  test('has the defaults of the gateway, else its own numbers and options', () => {
    const options = { colour: 'red' }
    const own = lock('b', { tries: 100, deadlineMs: 600_000, options })
    expect(locksIn(read({ all: { flows: [lock('a'), own] } }))).toMatchObject([
      { acceptor: 'a', ...DEFAULTS, options: { colour: 'none' } },
      { acceptor: 'b', tries: 100, deadlineMs: 600_000, options },
    ])
  })

  test('holds at most 16 locks, in groups at most 4 deep', () => {
    expect(locksIn(read(many(16)))).toHaveLength(16)
    expect(locksIn(read(nested(4)))).toHaveLength(1)
  })

  test.each<[string, unknown, string]>([
    ['of nothing', {}, 'neither lock, all nor any'],
    ['of an empty group', { any: {} }, 'an empty group "any"'],
    ['with an empty group in it', { all: { flows: [lock('a'), { all: {} }] } }, 'an empty group'],
    ['of an unknown acceptor', lock('magic'), 'no acceptor magic; known: a, b, token'],
    ['of no acceptor', { lock: {} }, 'no acceptor ; known'],
    ['of a name of objects', lock('__proto__'), 'no acceptor __proto__'],
    ['of many locks', many(17), 'over 16 locks'],
    ['of many locks in groups', { any: { flows: [many(9), many(8)] } }, 'over 16 locks'],
    ['deeply nested', nested(5), 'groups nested over 4 deep'],
    ['with many tries', lock('a', { tries: 101 }), 'lock.tries: 101 is over 100'],
    [
      'that takes long',
      lock('a', { deadlineMs: 600_001 }),
      'lock.deadlineMs: 600001 is over 600000',
    ],
    [
      'with wrong options',
      lock('a', { options: { colour: 'blue' } }),
      'lock.options: the colour is not red',
    ],
    [
      'with unknown options',
      lock('a', { options: { size: 1 } }),
      'lock.options: the colour is not red',
    ],
    ['that is no message', { locks: [] }, 'locks'],
    ['that is no object', 'token', 'token'],
  ])('%s is refused, with the reason', (_, json, reason) => {
    expect(() => read(json)).toThrow(reason)
  })
})

describe('an access block', () => {
  const access = (locks: string[], flow?: FlowConfig) =>
    readAccess({ locks, ...(flow && { flow }) }, ACCEPTORS, DEFAULTS)

  test('without locks and flow leaves the room open', () => {
    expect(access([])).toBeUndefined()
  })

  test('with locks is short for a flow of all of them', () => {
    const [one, two] = ['a', 'b'].map((name) => ({ acceptor: name, tries: 3 }))
    expect(shapeOf(access(['a']) as Flow)).toEqual(one)
    expect(shapeOf(access(['a', 'b']) as Flow)).toEqual({ kind: 'all', of: [one, two] })
  })

  test.each<[string, () => unknown, string]>([
    ['both locks and a flow', () => access(['a'], written({ acceptor: 'a', tries: 1 })), 'both'],
    ['an empty flow', () => access([], create(FlowSchema)), 'neither lock, all nor any'],
    ['many locks', () => access(Array(17).fill('a')), 'over 16 locks'],
    ['an unknown lock', () => access(['magic']), 'no acceptor magic'],
  ])('with %s is refused', (_, act, reason) => {
    expect(act).toThrow(reason)
  })
})
