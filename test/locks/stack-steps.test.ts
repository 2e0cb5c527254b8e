/** The lock stack, step by step: what each input leads to. */
import { Code } from '@porthouse/proto/v1/code'
import { describe, expect, test } from 'vitest'
import type { Flow } from '../../gateway/locks/flow.ts'
import {
  EMPTY_STACK,
  type Judgement,
  type LockEffect,
  type LockInput,
  type LockStack,
} from '../../gateway/locks/lock.ts'
import { othersOf, reduceLocks } from '../../gateway/locks/stack.ts'
import { codeInfo } from '../../gateway/protocol/codes.ts'
import { ANSWERS_AHEAD_MAX, LOCK_DEPTH_MAX } from '../../gateway/protocol/limits.ts'

/** `a` is a lock of that acceptor; a list of them is any. */
type Spec = string | readonly Spec[]

function flow(spec: Spec, tries = 2): Flow {
  return typeof spec === 'string'
    ? { kind: 'lock', lock: { acceptor: spec, tries, deadlineMs: 10, options: undefined } }
    : { kind: 'any', flows: spec.map((each) => flow(each, tries)) }
}

const all = (...specs: Spec[]): Flow => ({ kind: 'all', flows: specs.map((each) => flow(each)) })

/** Locks are named by their place, or by the one that needs them, and their acceptors. */
function locks(of: string, specs: readonly (Spec | Flow)[], deadline = 10) {
  return specs.map((spec) => {
    const made = typeof spec === 'object' && 'kind' in spec ? spec : flow(spec)
    const name = typeof spec === 'string' ? spec : 'any'
    return { id: `${of}.${name}`, flow: made, since: 0, deadline }
  })
}

const guard = (place: string, ...specs: (Spec | Flow)[]): LockInput => ({
  type: 'guard',
  place,
  locks: locks(place, specs),
})
let frames = 0
function answer(
  acceptor: string,
  { lock = '', frame = ++frames, chooses = false } = {},
): LockInput {
  const response = chooses
    ? ({ case: undefined } as const)
    : ({ case: 'text', value: `for ${acceptor}` } as const)
  const [nominated] = locks(`lobby${frame}`, [acceptor])
  return { type: 'answer', lock, acceptor, response, frame, nominated }
}
const choose = (acceptor: string, frame: number) => answer(acceptor, { frame, chooses: true })

const ASKS: Judgement = { outcome: 'challenge', ask: { case: undefined } }
const ASKS_MORE: Judgement = { outcome: 'challenge', ask: { case: 'data', value: Buffer.of(1) } }
const WRONG: Judgement = { outcome: 'failed', code: Code.UNAUTHENTICATED }
const AWAY: Judgement = { outcome: 'failed', code: Code.UNAVAILABLE }
const OUT: Judgement = { outcome: 'dropped', code: Code.NOT_ADMITTED }
const RIGHT = passed({})

function passed(values: Record<string, string>): Judgement {
  return { outcome: 'passed', proof: { acceptor: 'a', values, grants: [] } }
}

function needs(of: string, ...specs: Spec[]): Judgement {
  return { outcome: 'needs', locks: locks(of, specs) }
}

/** What an acceptor says of a lock, whatever it was asked last. */
interface Says {
  readonly lock: string
  readonly judgement: Judgement
  readonly resolves: readonly string[]
}
const says = (lock: string, judgement: Judgement, ...resolves: string[]): Says => ({
  lock,
  judgement,
  resolves,
})
/** Asks, is answered, and says what it thinks of that. */
const asks = (...ids: string[]) => ids.map((lock) => says(lock, ASKS))

/** Plays from an empty stack; gives the last step's effects in short. */
function play(...steps: (LockInput | Says)[]): { stack: LockStack; effects: string[] } {
  let stack = EMPTY_STACK
  let last: readonly LockEffect[] = []
  for (const step of steps) {
    const round =
      'judgement' in step ? (stack.locks.find(({ id }) => id === step.lock)?.round ?? 0) : 0
    const input = 'judgement' in step ? ({ type: 'judged', round, ...step } as const) : step
    ;[stack, last] = reduceLocks(stack, input)
  }
  return { stack, effects: last.map(short) }
}

function short(effect: LockEffect): string {
  switch (effect.type) {
    case 'begin':
      return `begin ${effect.lock.id} by ${effect.lock.choice.acceptor}`
    case 'judge':
      return `judge ${effect.lock.id} ${effect.response.value}`
    case 'challenge':
      return `${effect.frame} challenge ${effect.lock.id} by ${effect.lock.choice.acceptor}`
    case 'verdict':
      return `${effect.frame} ${effect.outcome} ${effect.lock.id}`
    case 'unlocked':
      return `unlocked ${effect.place}`
    case 'refuse':
      return `${effect.frame} refuse ${codeInfo(effect.code).name}`
    case 'lockedOut':
      return `lockedOut ${effect.place} ${codeInfo(effect.code).name}`
  }
}

describe('a place', () => {
  test('that nothing guards is unlocked at once', () => {
    expect(play(guard('p')).effects).toEqual(['unlocked p'])
  })

  test('is unlocked after all of its locks, the first first', () => {
    const first = [guard('p', 'a', 'b'), ...asks('p.a')]
    expect(play(guard('p', 'a', 'b')).effects).toEqual(['begin p.a by a'])
    expect(play(...first).effects).toEqual(['0 challenge p.a by a'])
    const second = [...first, answer('a', { frame: 1 }), says('p.a', RIGHT)]
    expect(play(...second).effects).toEqual(['1 passed p.a', 'begin p.b by b'])
    const both = [...second, ...asks('p.b'), answer('b', { frame: 2 }), says('p.b', RIGHT)]
    expect(play(...both).effects).toEqual(['2 passed p.b', 'unlocked p'])
  })

  test('whose lock has no question is unlocked by the handshake alone, by a push', () => {
    expect(play(guard('p', 'a'), says('p.a', RIGHT)).effects).toEqual([
      '0 passed p.a',
      'unlocked p',
    ])
  })

  test('asked for twice is guarded once, and asks once more [PH-5.1]', () => {
    const twice = [guard('p', 'a'), ...asks('p.a'), guard('p', 'a')]
    const { stack, effects } = play(...twice)
    expect(effects).toEqual(['0 challenge p.a by a'])
    expect(stack.locks).toHaveLength(1)
    expect(play(...twice, guard('q', 'a'), guard('p', 'a')).effects).toEqual([])
  })

  test('whose lock another proof resolves is unlocked with it [PH-5.6]', () => {
    const places = ['p', 'q'].flatMap((place) => [guard(place, 'a'), ...asks(`${place}.a`)])
    const waiting = [...places, guard('r', 'b'), ...asks('r.b'), guard('s', 'a'), ...asks('s.a')]
    const proved = [answer('a', { frame: 1 }), says('s.a', RIGHT, 'p.a', 'q.a')]
    const { stack, effects } = play(...waiting, ...proved)
    expect(effects).toEqual([
      '1 passed s.a',
      '0 passed q.a',
      '0 passed p.a',
      'unlocked s',
      'unlocked q',
      'unlocked p',
      '0 challenge r.b by b',
    ])
    expect(stack.locks.map(({ id }) => id)).toEqual(['r.b'])
  })

  test('given up takes its locks along, and the next one is asked for [PH-5.16]', () => {
    const waiting = [guard('p', 'a'), ...asks('p.a'), guard('q', 'a', 'b')]
    const { effects } = play(...waiting, { type: 'abandon', place: 'q' })
    expect(effects).toEqual(['0 dropped q.a', '0 dropped q.b', '0 challenge p.a by a'])
    expect(play(...waiting, { type: 'abandon', place: 'p' }).effects).toEqual(['0 dropped p.a'])
  })

  test('beyond the depth is locked for good, and the others stay [PH-4.5]', () => {
    const names = Array.from({ length: LOCK_DEPTH_MAX }, (_, i) => `${i}`)
    const { stack, effects } = play(guard('p', ...names), guard('q', 'a'))
    expect(effects).toEqual(['lockedOut q NESTING_TOO_DEEP'])
    expect(stack.locks).toHaveLength(LOCK_DEPTH_MAX)
  })

  test('that is late is locked for good, and nobody is asked what is late as well', () => {
    const late = { type: 'tick', now: 10 } as const
    const due = [guard('p', 'a'), ...asks('p.a'), guard('q', 'b'), ...asks('q.b'), answer('b')]
    const { stack, effects } = play(...due, late)
    expect(effects.map((effect) => effect.replace(/^\d+ /, ''))).toEqual([
      'dropped p.a',
      'lockedOut p LOCK_DEADLINE',
      'dropped q.b',
      'lockedOut q LOCK_DEADLINE',
    ])
    expect(stack.locks).toEqual([])
    expect(play(...due, late, says('q.b', RIGHT)).effects).toEqual([])
  })
})

describe('an answer', () => {
  const asked = [guard('p', 'a', 'b'), ...asks('p.a')]

  test('given ahead is used when its lock is reached, and once [PH-5.4]', () => {
    const ahead = [...asked, answer('b', { frame: 1 }), answer('a'), says('p.a', RIGHT)]
    expect(play(...ahead, ...asks('p.b')).effects).toEqual(['judge p.b for b'])
    expect(play(...ahead, ...asks('p.b'), says('p.b', WRONG)).effects).toEqual(['1 failed p.b'])
  })

  test('given ahead answers for a lock without a question [PH-5.16]', () => {
    const ahead = [answer('a', { frame: 1 }), says('lobby1.a', RIGHT)]
    expect(play(...ahead).effects).toEqual(['1 passed lobby1.a'])
    expect(play(...ahead).stack).toEqual(EMPTY_STACK)
    const wrong = [guard('p', ['a', 'b']), answer('a', { frame: 2 }), says('p.any', WRONG)]
    expect(play(...wrong).effects).toEqual(['2 failed p.any', 'begin p.any by b'])
  })

  test('given ahead is used by a lock that had asked before and is reached again', () => {
    const below = [guard('p', 'a'), ...asks('p.a'), guard('q', 'b'), ...asks('q.b')]
    const ahead = [...below, answer('a', { frame: 1 }), answer('b', { frame: 2 })]
    expect(play(...ahead, says('q.b', RIGHT)).effects).toEqual([
      '2 passed q.b',
      'unlocked q',
      'judge p.a for a',
    ])
  })

  test('that comes while another one is judged is judged next', () => {
    const two = [...asked, answer('a', { frame: 1 }), answer('a', { frame: 2 })]
    expect(play(...two, says('p.a', WRONG)).effects).toEqual(['1 failed p.a', 'judge p.a for a'])
  })

  test('given ahead gives way to a later one of its acceptor, and is told so', () => {
    const ahead = [...asked, answer('b', { frame: 1 })]
    expect(play(...ahead, answer('b', { frame: 2 })).effects).toEqual(['1 refuse QUEUE_FULL'])
    expect(play(...ahead, answer('b', { frame: 0 }), answer('b')).effects).toEqual([])
  })

  test('for a lock that is not the newest is refused [PH-5.3]', () => {
    const refused = (...steps: Parameters<typeof play>) => play(...steps).effects
    const wrong = (acceptor: string, lock: string) => answer(acceptor, { lock, frame: 1 })
    expect(refused(...asked, wrong('b', 'p.b'))).toEqual(['1 refuse FRAME_NOT_ALLOWED'])
    expect(refused(...asked, wrong('b', 'p.a'))).toEqual(['1 refuse FRAME_NOT_ALLOWED'])
    expect(refused(wrong('a', 'p.a'))).toEqual(['1 refuse FRAME_NOT_ALLOWED'])
  })

  test(`ahead is one of at most ${ANSWERS_AHEAD_MAX}, and more change nothing`, () => {
    const names = Array.from({ length: ANSWERS_AHEAD_MAX }, (_, i) => `${i}`)
    const ahead = [guard('p', ['x', 'y']), ...asks('p.any'), ...names.map((name) => answer(name))]
    const more = play(...ahead, answer('more', { frame: 99 }))
    expect(more.effects).toEqual(['99 refuse QUEUE_FULL'])
    expect(more.stack.ahead.size).toBe(ANSWERS_AHEAD_MAX)
    const other = play(...ahead, answer('y', { frame: 99 }))
    expect(other.effects).toEqual(['99 refuse QUEUE_FULL'])
    expect(other.stack.locks[0]).toMatchObject({ phase: 'asked', choice: { acceptor: 'x' } })
  })

  test('that is wrong costs a try, the last of them the place [PH-5.8]', () => {
    const wrong = [guard('p', 'a'), ...asks('p.a'), answer('a', { frame: 1 }), says('p.a', WRONG)]
    expect(play(...wrong).effects).toEqual(['1 failed p.a'])
    expect(play(...wrong, answer('a', { frame: 2 }), says('p.a', WRONG)).effects).toEqual([
      '2 dropped p.a',
      'lockedOut p TRIES_EXHAUSTED',
    ])
  })

  test('to a question that is good for one answer leads to another question [PH-5.15]', () => {
    const wrong = [guard('p', 'a'), says('p.a', ASKS_MORE), answer('a', { frame: 1 })]
    expect(play(...wrong, says('p.a', WRONG)).effects).toEqual(['1 failed p.a', 'begin p.a by a'])
  })

  test('that leads to another question is answered by it [PH-5.5]', () => {
    const first = [guard('p', 'a'), ...asks('p.a'), answer('a', { frame: 1 })]
    expect(play(...first, says('p.a', ASKS_MORE)).effects).toEqual(['1 challenge p.a by a'])
  })

  test('that could not be judged costs no try [PH-5.5]', () => {
    const once = () => [answer('a', { frame: 1 }), says('p.a', AWAY)]
    const { stack, effects } = play(...asked, ...once(), ...once(), ...once())
    expect(effects).toEqual(['1 failed p.a'])
    expect(stack.locks.at(-1)?.triesLeft).toBe(2)
  })

  test('after which nothing opens it any more ends the lock', () => {
    expect(play(...asked, answer('a', { frame: 1 }), says('p.a', OUT)).effects).toEqual([
      '1 dropped p.a',
      '0 dropped p.b',
      'lockedOut p NOT_ADMITTED',
    ])
  })
})

describe('in the main lobby', () => {
  test('an answer makes a lock of its own', () => {
    const once = [answer('a', { frame: 1 })]
    expect(play(...once).effects).toEqual(['begin lobby1.a by a'])
    expect(play(...once, ...asks('lobby1.a')).effects).toEqual(['judge lobby1.a for a'])
    const proved = play(...once, ...asks('lobby1.a'), says('lobby1.a', RIGHT))
    expect(proved.effects).toEqual(['1 passed lobby1.a'])
  })

  test('a place asked for meanwhile is reached after its verdict', () => {
    const judged = [answer('a', { frame: 1 }), ...asks('lobby1.a'), guard('p', 'b')]
    expect(play(...judged, says('lobby1.a', RIGHT)).effects).toEqual(['1 passed lobby1.a'])
    expect(play(...judged).effects).toEqual(['begin p.b by b'])
  })

  test('wrong ones add up, whether or not they led to a question', () => {
    const wrong = [answer('a', { frame: 1 }), ...asks('lobby1.a'), says('lobby1.a', WRONG)]
    expect(play(...wrong).effects).toEqual(['1 failed lobby1.a'])
    expect(play(...wrong, answer('b', { frame: 2 }), says('lobby2.b', WRONG)).effects).toEqual([
      '2 dropped lobby2.b',
      'lockedOut undefined TRIES_EXHAUSTED',
    ])
    const away = [answer('b', { frame: 2 }), says('lobby2.b', AWAY)]
    expect(play(...wrong, ...away).effects).toEqual(['2 failed lobby2.b'])
  })

  test('a lock that asks for itself is locked for good', () => {
    expect(play(answer('a', { frame: 1 }), says('lobby1.a', needs('x', 'a'))).effects).toEqual([
      '0 dropped lobby1.a',
      'lockedOut undefined NESTING_TOO_DEEP',
    ])
  })
})

describe('a lock of which any will do', () => {
  const any = [guard('p', ['a', ['b', 'c']]), ...asks('p.any')]

  test('asks for the first, and names the others [PH-5.13]', () => {
    const { stack, effects } = play(...any)
    expect(effects).toEqual(['0 challenge p.any by a'])
    expect(stack.locks.map(othersOf)).toEqual([['b', 'c']])
  })

  test('asks for the one that an answer was given ahead for', () => {
    expect(play(answer('x'), answer('c'), guard('p', ['a', 'b'], 'c')).effects).toEqual([
      'begin p.any by a',
    ])
    const ahead = [guard('q', 'x'), ...asks('q.x'), answer('c'), guard('p', ['a', 'c'])]
    expect(play(...ahead).effects).toEqual(['begin p.any by c'])
  })

  test('judges an answer as that of the acceptor that it names', () => {
    const other = [...any, answer('c', { frame: 1 })]
    expect(play(...other).effects).toEqual(['begin p.any by c'])
    expect(play(...other, ...asks('p.any')).effects).toEqual(['judge p.any for c'])
    const right = play(...other, ...asks('p.any'), says('p.any', RIGHT))
    expect(right.effects).toEqual(['1 passed p.any', 'unlocked p'])
  })

  test('is chosen from, again and again, by answers that say nothing', () => {
    expect(play(...any, choose('b', 1), ...asks('p.any')).effects).toEqual([
      '1 challenge p.any by b',
    ])
    const back = [...any, choose('b', 1), ...asks('p.any'), choose('a', 2), ...asks('p.any')]
    expect(play(...back).effects).toEqual(['2 challenge p.any by a'])
    expect(play(...any, choose('a', 1), ...asks('p.any')).effects).toEqual([
      '1 challenge p.any by a',
    ])
  })

  test('counts tries over all of them: a choice gives none back', () => {
    const wrong = [...any, answer('a'), says('p.any', WRONG), choose('b', 1), ...asks('p.any')]
    expect(play(...wrong, answer('b', { frame: 2 }), says('p.any', WRONG)).effects).toEqual([
      '2 dropped p.any',
      'lockedOut p TRIES_EXHAUSTED',
    ])
  })

  test('goes on to the next where one cannot begin, and ends after the last', () => {
    const one = [guard('p', ['a', 'b']), says('p.any', AWAY)]
    expect(play(...one).effects).toEqual(['begin p.any by b'])
    expect(play(...one).stack.locks.map(othersOf)).toEqual([[]])
    expect(play(...one, says('p.any', WRONG)).effects).toEqual([
      '0 dropped p.any',
      'lockedOut p UNAUTHENTICATED',
    ])
  })

  test('asks for the rest of the branch that was chosen, with tries of its own', () => {
    const branch: Flow = { kind: 'any', flows: [flow('x'), all('a', 'b')] }
    const first = [guard('p', branch), ...asks('p.any'), answer('a'), ...asks('p.any')]
    const wrong = [...first, says('p.any', WRONG), answer('a', { frame: 1 }), says('p.any', RIGHT)]
    expect(play(...wrong).effects).toEqual(['begin p.any by b'])
    const second = play(...wrong, ...asks('p.any'))
    expect(second.effects).toEqual(['1 challenge p.any by b'])
    expect(second.stack.locks).toMatchObject([{ triesLeft: 2 }])
    const ended = play(...wrong, ...asks('p.any'), answer('b', { frame: 2 }), says('p.any', RIGHT))
    expect(ended.effects).toEqual(['2 passed p.any', 'unlocked p'])
  })
})

describe('a lock that needs others first', () => {
  const nested = [guard('p', 'a'), says('p.a', needs('a', 'b', 'c'))]
  const right = (id: string, value: string) => {
    const acceptor = id.slice(-1)
    return [...asks(id), answer(acceptor), says(id, passed({ [acceptor]: value }))]
  }

  test('goes on when all of them are resolved, and has the values of each (R13)', () => {
    expect(play(...nested).effects).toEqual(['begin a.b by b'])
    expect(play(...nested, ...right('a.b', '1')).effects.at(-1)).toBe('begin a.c by c')
    const { stack, effects } = play(...nested, ...right('a.b', '1'), ...right('a.c', '2'))
    expect(effects.at(-1)).toBe('begin p.a by a')
    expect(stack.locks).toMatchObject([{ id: 'p.a', values: { b: '1', c: '2' } }])
  })

  test('answers whoever answered with the first of their questions', () => {
    const asked = [guard('p', 'a'), ...asks('p.a'), answer('a', { frame: 1 })]
    const needed = [...asked, says('p.a', needs('a', 'b', 'c')), ...asks('a.b')]
    expect(play(...needed).effects).toEqual(['1 challenge a.b by b'])
  })

  test('and is resolved meanwhile takes along what only it needed [PH-5.16]', () => {
    const proved = [...asks('a.b'), answer('b', { frame: 1 }), says('a.b', RIGHT, 'p.a')]
    expect(play(...nested, ...proved).effects).toEqual([
      '1 passed a.b',
      '0 passed p.a',
      '0 dropped a.c',
      'unlocked p',
    ])
  })

  test('is locked out with them', () => {
    expect(play(...nested, ...asks('a.b'), says('a.b', OUT)).effects).toEqual([
      '0 dropped a.b',
      '0 dropped a.c',
      '0 dropped p.a',
      'lockedOut p NOT_ADMITTED',
    ])
  })

  test('may not need itself, however many stand between [PH-5.14]', () => {
    expect(play(...nested, says('a.b', needs('b', ['x', 'a']))).effects.at(-1)).toBe(
      'lockedOut p NESTING_TOO_DEEP',
    )
  })

  test('may not need others again and again', () => {
    const again = (n: number) => says('p.a', needs(`a${n}`))
    const steps = [guard('p', 'a'), again(1), again(2), again(3), again(4)]
    expect(play(...steps).effects).toEqual(['begin p.a by a'])
    expect(play(...steps, again(5)).effects.at(-1)).toBe('lockedOut p NESTING_TOO_DEEP')
  })

  test('1,000 deep is locked for good at the depth that is told in Welcome', () => {
    let stack = reduceLocks(EMPTY_STACK, guard('p', '0'))[0]
    let deepest = 0
    for (let i = 1; i <= 1000 && stack.locks.length > 0; i++) {
      const { id: lock, round } = stack.locks.at(-1)!
      const judgement = needs(`${i}`, `${i}`)
      stack = reduceLocks(stack, { type: 'judged', lock, round, judgement, resolves: [] })[0]
      deepest = Math.max(deepest, stack.locks.length)
    }
    expect(deepest).toBe(LOCK_DEPTH_MAX)
    expect(stack.locks).toEqual([])
  })
})
