/** The lock stack under any sequence of inputs: late, foreign and out of order ones among them. */
import { Code } from '@porthouse/proto/v1/code'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  EMPTY_STACK,
  type Lock,
  type LockEffect,
  type LockInput,
  type LockStack,
  reduceLocks,
} from '../../gateway/locks/stack.ts'
import { codeInfo } from '../../gateway/protocol/codes.ts'
import { ANSWERS_AHEAD_MAX, LOCK_DEPTH_MAX } from '../../gateway/protocol/limits.ts'

const PLACES = ['room:a/1', 'room:a/2', 'room:b/1']
const ACCEPTORS = Array.from({ length: ANSWERS_AHEAD_MAX + 2 }, (_, i) => `acceptor-${i}`)
const LOBBY_TRIES = 3

/** An input, but for what only a run knows: `pick` chooses among the ids given so far. */
type Step =
  | { type: 'guard'; place: string; acceptors: string[]; tries: number; forMs: number }
  | { type: 'answer'; lock: 'newest' | 'unnamed' | number; acceptor: 'asked' | string }
  | { type: 'verified'; lock: 'asked' | number; outcome: Outcome; resolves: number }
  | { type: 'abandon'; place: string }
  | { type: 'tick'; afterMs: number }
type Outcome = 'passed' | 'failed' | 'unavailable'

const place = fc.constantFrom(...PLACES)
const acceptor = fc.constantFrom(...ACCEPTORS)
const pick = fc.nat(50)
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      type: fc.constant('guard' as const),
      place,
      acceptors: fc.array(acceptor, { maxLength: 5 }),
      tries: fc.integer({ min: 1, max: 3 }),
      forMs: fc.integer({ min: 1, max: 20 }),
    }),
    fc.record({
      type: fc.constant('answer' as const),
      lock: fc.oneof(fc.constantFrom('newest' as const, 'unnamed' as const), pick),
      acceptor: fc.oneof(fc.constant('asked'), acceptor),
    }),
    fc.record({
      type: fc.constant('verified' as const),
      lock: fc.oneof({ weight: 3, arbitrary: fc.constant('asked' as const) }, pick),
      outcome: fc.constantFrom<Outcome>('passed', 'passed', 'failed', 'unavailable'),
      resolves: fc.nat(3),
    }),
    fc.record({ type: fc.constant('abandon' as const), place }),
    fc.record({ type: fc.constant('tick' as const), afterMs: fc.nat(5) }),
  ),
  { maxLength: 60 },
)

/** Plays steps to the reducer and holds every one against what must always be true. */
class Run {
  stack: LockStack = EMPTY_STACK
  dropped = false
  #now = 0
  #given: string[] = []
  #ended = new Set<string>()
  #responses = 0
  #used = new Set<unknown>()
  #asked: Lock | undefined
  #wrongInLobby = 0
  /** Locks of each guarded place that nothing has resolved yet. */
  #unresolved = new Map<string, Set<string>>()

  play(step: Step): void {
    const input = this.#input(step)
    const before = this.stack
    const [after, effects] = reduceLocks(before, input)
    this.stack = after
    this.#checkShape()
    this.#checkChange(before, input, effects)
    for (const effect of effects) this.#check(effect, before, input)
  }

  #input(step: Step): LockInput {
    const { locks } = this.stack
    switch (step.type) {
      case 'guard': {
        const { place, acceptors, tries } = step
        const asked = acceptors.map((acceptor) => ({ id: this.#newId(), acceptor }))
        return { type: 'guard', place, locks: asked, tries, deadline: this.#now + step.forMs }
      }
      case 'answer': {
        const top = locks.at(-1)
        const lock = step.lock === 'unnamed' ? '' : this.#id(step.lock, top?.id)
        const acceptor = step.acceptor === 'asked' ? (top?.acceptor ?? 'none') : step.acceptor
        const nominated = { id: this.#newId(), tries: LOBBY_TRIES, deadline: this.#now + 10 }
        return { type: 'answer', lock, acceptor, response: `${++this.#responses}`, nominated }
      }
      case 'verified': {
        const lock = this.#id(step.lock === 'asked' ? 'newest' : step.lock, this.#asked?.id)
        const resolves = locks.slice(0, step.resolves).map(({ id }) => id)
        const { outcome } = step
        if (outcome === 'passed') {
          return { type: 'verified', lock, verification: { outcome, values: {} }, resolves }
        }
        const code = outcome === 'failed' ? Code.UNAUTHENTICATED : Code.UNAVAILABLE
        return { type: 'verified', lock, verification: { outcome: 'failed', code }, resolves: [] }
      }
      case 'abandon':
        return step
      case 'tick':
        this.#now += step.afterMs
        return { type: 'tick', now: this.#now }
    }
  }

  #newId(): string {
    const id = `lock-${this.#given.length}`
    this.#given.push(id)
    return id
  }

  #id(wanted: 'newest' | number, newest = 'never given'): string {
    return wanted === 'newest' ? newest : (this.#given[wanted] ?? 'never given')
  }

  #checkShape(): void {
    const { locks, ahead } = this.stack
    expect(locks.length).toBeLessThanOrEqual(LOCK_DEPTH_MAX)
    expect(ahead.size).toBeLessThanOrEqual(ANSWERS_AHEAD_MAX)
    expect(new Set(locks.map(({ id }) => id)).size).toBe(locks.length)
    expect(locks.slice(0, -1).filter(({ verifying }) => verifying)).toEqual([])
    for (const { id, triesLeft } of locks) {
      expect(this.#given).toContain(id)
      expect(this.#ended).not.toContain(id)
      expect(triesLeft).toBeGreaterThan(0)
    }
  }

  /** A lock goes for one stated reason, and only so. */
  #checkChange(before: LockStack, input: LockInput, effects: readonly LockEffect[]): void {
    const left = new Set(this.stack.locks.map(({ id }) => id))
    const resolved = input.type === 'verified' ? input.resolves : []
    for (const lock of before.locks) {
      const verdicts = effects.filter((e) => e.type === 'verdict' && e.lock.id === lock.id)
      expect(verdicts.length).toBeLessThanOrEqual(1)
      if (left.has(lock.id)) continue
      this.#ended.add(lock.id)
      const reasons = effects.filter(
        (effect) =>
          (effect.type === 'verdict' && effect.lock.id === lock.id) ||
          (effect.type === 'lockedOut' && effect.place === lock.place),
      )
      const abandoned = input.type === 'abandon' && input.place === lock.place
      expect(reasons.length > 0 || abandoned || resolved.includes(lock.id)).toBe(true)
      if (this.#asked?.id === lock.id) this.#asked = undefined
      if (lock.place === undefined) continue
      const passed = verdicts.some((e) => e.type === 'verdict' && e.outcome === 'passed')
      if (passed || resolved.includes(lock.id)) this.#unresolved.get(lock.place)?.delete(lock.id)
    }
    for (const { id, place } of this.stack.locks) {
      if (place === undefined || before.locks.some((lock) => lock.id === id)) continue
      this.#unresolved.set(place, (this.#unresolved.get(place) ?? new Set()).add(id))
    }
    if (input.type === 'abandon') this.#unresolved.delete(input.place)
  }

  #check(effect: LockEffect, before: LockStack, input: LockInput): void {
    const top = this.stack.locks.at(-1)
    switch (effect.type) {
      case 'challenge':
        expect(effect.lock).toBe(top)
        expect(effect).toMatchObject({ depth: this.stack.locks.length, lock: { verifying: false } })
        return
      case 'verify':
        expect(effect.lock).toBe(top)
        expect(effect.lock.verifying).toBe(true)
        expect(this.#used).not.toContain(effect.response)
        this.#used.add(effect.response)
        this.#asked = effect.lock
        return
      case 'verdict':
        return this.#checkVerdict(effect, before, input)
      case 'unlocked':
        expect([...(this.#unresolved.get(effect.place) ?? [])]).toEqual([])
        expect(this.stack.locks.filter((lock) => lock.place === effect.place)).toEqual([])
        return
      case 'refuse':
        expect(this.stack).toBe(before)
        return
      case 'lockedOut':
        if (effect.place === undefined) this.dropped = true
        else if (effect.code !== Code.NESTING_TOO_DEEP) this.#unresolved.delete(effect.place)
    }
  }

  #checkVerdict(effect: Verdict, before: LockStack, input: LockInput): void {
    const { lock, outcome, code } = effect
    const was = before.locks.find(({ id }) => id === lock.id)
    const late = input.type === 'tick'
    if (late) expect(lock.deadline).toBeLessThanOrEqual(this.#now)
    else expect(was?.verifying).toBe(true)
    if (!late && outcome === 'dropped') expect(was?.triesLeft).toBe(1)
    if (outcome !== 'failed') return
    const wrong = code === Code.UNAVAILABLE ? 0 : 1
    expect(lock.triesLeft).toBe((was?.triesLeft ?? 0) - wrong)
    if (lock.place !== undefined) return
    this.#wrongInLobby += wrong
    expect(lock.triesLeft).toBe(LOBBY_TRIES - this.#wrongInLobby)
  }
}
type Verdict = Extract<LockEffect, { type: 'verdict' }>

describe('under any sequence of inputs', () => {
  test('the stack stays well-formed and each effect is due', () => {
    fc.assert(
      fc.property(steps, (played) => {
        const run = new Run()
        for (const step of played) if (!run.dropped) run.play(step)
      }),
      { numRuns: 500 },
    )
  })

  test('nothing outlives its deadline for as many ticks as there are places', () => {
    fc.assert(
      fc.property(steps, (played) => {
        const run = new Run()
        for (const step of played) if (!run.dropped) run.play(step)
        for (const _ of [...PLACES, 'lobby']) {
          if (!run.dropped) run.play({ type: 'tick', afterMs: 30 })
        }
        if (!run.dropped) expect(run.stack.locks).toEqual([])
      }),
      { numRuns: 200 },
    )
  })
})

/** Plays inputs from an empty stack; gives the last step's effects in short. */
function play(...inputs: LockInput[]): { stack: LockStack; effects: string[] } {
  let stack = EMPTY_STACK
  let last: readonly LockEffect[] = []
  for (const input of inputs) [stack, last] = reduceLocks(stack, input)
  return { stack, effects: last.map(short) }
}

function short(effect: LockEffect): string {
  switch (effect.type) {
    case 'challenge':
      return `challenge ${effect.lock.id}`
    case 'verify':
      return `verify ${effect.lock.id} ${effect.response}`
    case 'verdict':
      return `verdict ${effect.lock.id} ${effect.outcome}`
    case 'unlocked':
      return `unlocked ${effect.place}`
    case 'refuse':
      return `refuse ${codeInfo(effect.code).name}`
    case 'lockedOut':
      return `lockedOut ${effect.place} ${codeInfo(effect.code).name}`
  }
}

const guard = (place: string, ...names: string[]): LockInput => ({
  type: 'guard',
  place,
  locks: names.map((name) => ({ id: `${place}.${name}`, acceptor: name })),
  tries: 2,
  deadline: 10,
})
const answer = (acceptor: string, lock = '', nominated = 'lobby'): LockInput => ({
  type: 'answer',
  lock,
  acceptor,
  response: `for ${acceptor}`,
  nominated: { id: nominated, tries: 2, deadline: 10 },
})
const passed = (lock: string, ...resolves: string[]): LockInput => ({
  type: 'verified',
  lock,
  verification: { outcome: 'passed', values: {} },
  resolves,
})
const failed = (lock: string, code: Code = Code.UNAUTHENTICATED): LockInput => ({
  type: 'verified',
  lock,
  verification: { outcome: 'failed', code },
  resolves: [],
})

describe('a place', () => {
  test('that nothing guards is unlocked at once', () => {
    expect(play(guard('p')).effects).toEqual(['unlocked p'])
  })

  test('is unlocked after all of its locks, the first first', () => {
    expect(play(guard('p', 'a', 'b')).effects).toEqual(['challenge p.a'])
    expect(play(guard('p', 'a', 'b'), answer('a'), passed('p.a')).effects).toEqual([
      'verdict p.a passed',
      'challenge p.b',
    ])
    const both = [guard('p', 'a', 'b'), answer('a'), passed('p.a'), answer('b'), passed('p.b')]
    expect(play(...both).effects).toEqual(['verdict p.b passed', 'unlocked p'])
  })

  test('asked for twice is guarded once [PH-5.1]', () => {
    const { stack, effects } = play(guard('p', 'a'), guard('p', 'a'))
    expect(effects).toEqual(['challenge p.a'])
    expect(stack.locks.map(({ id }) => id)).toEqual(['p.a'])
    expect(play(guard('p', 'a'), guard('q', 'a'), guard('p', 'a')).effects).toEqual([])
  })

  test('whose lock another proof resolves is unlocked with it [PH-5.6]', () => {
    const waiting = [guard('p', 'a'), guard('q', 'a'), guard('r', 'b'), guard('s', 'a')]
    const { stack, effects } = play(...waiting, answer('a'), passed('s.a', 'p.a', 'q.a'))
    expect(effects).toEqual([
      'verdict s.a passed',
      'unlocked s',
      'unlocked q',
      'unlocked p',
      'challenge r.b',
    ])
    expect(stack.locks.map(({ id }) => id)).toEqual(['r.b'])
  })

  test('given up takes its locks along, and the next one is reached', () => {
    const abandon: LockInput = { type: 'abandon', place: 'q' }
    const { effects } = play(guard('p', 'a'), guard('q', 'a', 'b'), abandon)
    expect(effects).toEqual(['challenge p.a'])
  })

  test('asked for while an answer is judged is reached after its verdict', () => {
    const judged = [answer('a'), guard('p', 'b')]
    expect(play(...judged).effects).toEqual([])
    expect(play(...judged, passed('lobby')).effects).toEqual([
      'verdict lobby passed',
      'challenge p.b',
    ])
  })

  test('beyond the depth is locked for good, and the others stay [PH-4.5]', () => {
    const names = Array.from({ length: LOCK_DEPTH_MAX }, (_, i) => `${i}`)
    const { stack, effects } = play(guard('p', ...names), guard('q', 'a'))
    expect(effects).toEqual(['lockedOut q NESTING_TOO_DEEP'])
    expect(stack.locks).toHaveLength(LOCK_DEPTH_MAX)
  })
})

describe('an answer', () => {
  test('given ahead is used when its lock is reached, and once [PH-5.4]', () => {
    const ahead = [guard('p', 'a', 'b'), answer('b'), answer('a'), passed('p.a')]
    expect(play(...ahead).effects).toEqual(['verdict p.a passed', 'verify p.b for b'])
    expect(play(...ahead, failed('p.b')).effects).toEqual(['verdict p.b failed'])
    expect(play(...ahead).stack.ahead.size).toBe(0)
  })

  test('for a lock that is not the newest is refused [PH-5.3]', () => {
    expect(play(guard('p', 'a', 'b'), answer('b', 'p.b')).effects).toEqual([
      'refuse FRAME_NOT_ALLOWED',
    ])
    expect(play(guard('p', 'a'), answer('b', 'p.a')).effects).toEqual(['refuse FRAME_NOT_ALLOWED'])
    expect(play(answer('a', 'p.a')).effects).toEqual(['refuse FRAME_NOT_ALLOWED'])
  })

  test(`ahead is one of at most ${ANSWERS_AHEAD_MAX}`, () => {
    const ahead = ACCEPTORS.slice(0, ANSWERS_AHEAD_MAX).map((name) => answer(name))
    expect(play(guard('p', 'x'), ...ahead, answer('one more')).effects).toEqual([
      'refuse QUEUE_FULL',
    ])
    expect(play(guard('p', 'x'), ...ahead, answer('acceptor-0')).effects).toEqual([])
  })

  test('where nothing waits is judged in the lobby', () => {
    expect(play(answer('a')).effects).toEqual(['verify lobby for a'])
    expect(play(answer('a'), passed('lobby')).effects).toEqual(['verdict lobby passed'])
  })

  test('that is wrong costs a try, the last of them the place [PH-5.8]', () => {
    const wrong = [guard('p', 'a'), answer('a'), failed('p.a')]
    expect(play(...wrong).effects).toEqual(['verdict p.a failed'])
    expect(play(...wrong, answer('a'), failed('p.a')).effects).toEqual([
      'verdict p.a dropped',
      'lockedOut p TRIES_EXHAUSTED',
    ])
  })

  test('wrong ones in the lobby add up', () => {
    const twice = [answer('a'), failed('lobby'), answer('a', '', 'again'), failed('again')]
    expect(play(...twice).effects).toEqual([
      'verdict again dropped',
      'lockedOut undefined TRIES_EXHAUSTED',
    ])
  })

  test('that could not be judged costs no try [PH-5.5]', () => {
    const once = [answer('a'), failed('p.a', Code.UNAVAILABLE)]
    const { stack, effects } = play(guard('p', 'a'), ...once, ...once, ...once)
    expect(effects).toEqual(['verdict p.a failed'])
    expect(stack.locks[0]?.triesLeft).toBe(2)
  })

  test('judged after the deadline changes nothing', () => {
    const late: LockInput = { type: 'tick', now: 10 }
    const due = [guard('p', 'a'), answer('a'), late]
    expect(play(...due).effects).toEqual(['verdict p.a dropped', 'lockedOut p LOCK_DEADLINE'])
    expect(play(...due, passed('p.a')).effects).toEqual([])
  })
})
