/**
 * Plays inputs to the lock stack, whatever they are, and holds every step against what must always
 * be true, by books of its own that know nothing of how the stack does it.
 */
import { Code } from '@porthouse/proto/v1/code'
import { expect } from 'vitest'
import { choices, type Flow, type LockSpec, locksIn } from '../../gateway/locks/flow.ts'
import {
  EMPTY_STACK,
  type Judgement,
  type Lock,
  type LockEffect,
  type LockInput,
  type LockStack,
  type NewLock,
} from '../../gateway/locks/lock.ts'
import { reduceLocks } from '../../gateway/locks/stack.ts'
import { ANSWERS_AHEAD_MAX, LOCK_DEPTH_MAX } from '../../gateway/protocol/limits.ts'
import { isSatisfied } from './flows.ts'

export const LOBBY_TRIES = 3

/** An effect that an acceptor has not come back from. */
export interface Outstanding {
  readonly lock: string
  readonly round: number
}

type Values = Readonly<Record<string, string>>
type Verdict = Extract<LockEffect, { type: 'verdict' }>
type Effect<T extends LockEffect['type']> = Extract<LockEffect, { type: T }>

export class LockRun {
  stack: LockStack = EMPTY_STACK
  now = 0
  /** The main lobby was locked for good, so that the session would be gone. */
  over = false
  readonly unlocked: string[] = []
  outstanding: Outstanding[] = []
  #ids = 0
  #frames = 0
  #proofs = 0
  readonly #ended = new Set<string>()
  /** How often each frame was answered. */
  readonly #answered = new Map<number, number>()
  /** Responses that were given, and are still to be judged. */
  readonly #unjudged = new Map<unknown, string>()
  /** What each place asked for when it was guarded, and what of that is proved. */
  readonly #wanted = new Map<string, { flow: Flow; proved: Set<LockSpec> }>()
  /** By lock: what it and those that it needed have proved. */
  readonly #values = new Map<string, Values>()
  #wrongInLobby = 0

  newLocks(parts: readonly Flow[], deadline: number): NewLock[] {
    return parts.map((flow) => ({ id: `lock-${this.#ids++}`, flow, since: this.now, deadline }))
  }

  guard(place: string, flow: Flow, parts: readonly Flow[], deadline: number): void {
    const fits = this.stack.locks.length + parts.length <= LOCK_DEPTH_MAX
    if (fits && !this.stack.locks.some((lock) => lock.place === place)) {
      this.#wanted.set(place, { flow, proved: new Set() })
    }
    this.play({ type: 'guard', place, locks: this.newLocks(parts, deadline) })
  }

  answer(lock: string, acceptor: string, chooses: boolean): void {
    const frame = ++this.#frames
    const value = `response ${frame}`
    const spec = { acceptor, tries: LOBBY_TRIES, deadlineMs: 10, options: undefined }
    const [nominated] = this.newLocks([{ kind: 'lock', lock: spec }], this.now + 10)
    if (!chooses) this.#unjudged.set(value, acceptor)
    this.#answered.set(frame, 0)
    const response = chooses ? ({ case: undefined } as const) : ({ case: 'text', value } as const)
    this.play({ type: 'answer', lock, acceptor, response, frame, nominated })
  }

  /** Proves something that nobody else proves. */
  newValues(): Values {
    return { [`value-${++this.#proofs}`]: `${this.#proofs}` }
  }

  judged({ lock, round }: Outstanding, judgement: Judgement, resolves: readonly string[]): void {
    this.outstanding = this.outstanding.filter((each) => each.lock !== lock || each.round !== round)
    const judged = this.stack.locks.find(({ id }) => id === lock)
    const idle = judged?.phase === 'needing' || judged?.phase === 'set'
    const late = judged?.round !== round || idle
    if (!late && judgement.outcome === 'passed') {
      this.#prove(judged, judgement.proof.values, resolves)
    }
    const before = this.stack
    this.play({ type: 'judged', lock, round, judgement, resolves })
    if (late) expect(this.stack).toBe(before)
  }

  play(input: LockInput): void {
    const before = this.stack
    const [after, effects] = reduceLocks(before, input)
    this.stack = after
    this.#checkShape()
    this.#checkEnds(before, effects)
    this.#checkOrder(effects)
    for (const [i, effect] of effects.entries()) this.#check(effect, effects.slice(i + 1))
    this.#checkFrames()
    this.#checkPlaces()
    if (input.type === 'abandon') this.#wanted.delete(input.place)
    if (input.type === 'tick') {
      expect(after.locks.filter(({ deadline }) => deadline <= input.now)).toEqual([])
    }
  }

  /** Keeps the books of a proof: which part of a place's flow it is, and whose values. */
  #prove(lock: Lock, values: Values, resolves: readonly string[]): void {
    const all = { ...this.#values.get(lock.id), ...values }
    this.#values.set(lock.id, all)
    const place = lock.place === undefined ? undefined : this.#wanted.get(lock.place)
    if (lock.asker === undefined) place?.proved.add(lock.choice)
    // What is left of the lock is another choice of the same branch.
    const whole = this.#isWhole(lock)
    if (!whole) return
    const others = this.stack.locks
      .filter(({ id }) => id !== lock.id && resolves.includes(id))
      .toReversed()
    for (const other of others) {
      const wanted = other.place === undefined ? undefined : this.#wanted.get(other.place)
      if (other.asker === undefined) {
        for (const each of locksIn(other.flow)) wanted?.proved.add(each)
      }
    }
    for (const { id, asker } of [lock, ...others]) {
      this.#values.set(id, { ...this.#values.get(id), ...all })
      if (asker === undefined) continue
      this.#values.set(asker, { ...this.#values.get(asker), ...this.#values.get(id) })
    }
  }

  #isWhole({ flow, choice }: Lock): boolean {
    const proved = new Set<LockSpec>([choice])
    return isSatisfied(flow, proved)
  }

  #checkShape(): void {
    const { locks, ahead } = this.stack
    expect(locks.length).toBeLessThanOrEqual(LOCK_DEPTH_MAX)
    expect(ahead.size).toBeLessThanOrEqual(ANSWERS_AHEAD_MAX)
    expect(new Set(locks.map(({ id }) => id)).size).toBe(locks.length)
    const top = locks.at(-1)
    // Something is always under way, or the client is asked: nobody waits for nothing.
    if (top) expect(['beginning', 'asked', 'judging']).toContain(top.phase)
    const open = top ? choices(top.flow).filter((each) => !top.out.includes(each)) : []
    if (top?.phase === 'asked') {
      for (const { acceptor } of open) expect([...ahead.keys()]).not.toContain(acceptor)
    }
    for (const [i, lock] of locks.entries()) this.#checkLock(lock, i)
  }

  #checkLock(lock: Lock, index: number): void {
    const { locks } = this.stack
    expect(this.#ended).not.toContain(lock.id)
    expect(lock.triesLeft).toBeGreaterThan(0)
    expect(choices(lock.flow)).toContain(lock.choice)
    expect(lock.out).not.toContain(lock.choice)
    expect(lock.needs).toBeLessThanOrEqual(4)
    const needed = locks.filter(({ asker }) => asker === lock.id)
    expect(needed.length > 0).toBe(lock.phase === 'needing')
    for (const each of needed) {
      expect(locks.indexOf(each)).toBeGreaterThan(index)
      expect(each.place).toBe(lock.place)
      const acceptors = locksIn(each.flow).map(({ acceptor }) => acceptor)
      expect(acceptors).not.toContain(lock.choice.acceptor)
    }
    if (lock.asker !== undefined) expect(locks.map(({ id }) => id)).toContain(lock.asker)
  }

  /** A lock is gone with exactly one verdict, and has none that ends it while it is there. */
  #checkEnds(before: LockStack, effects: readonly LockEffect[]): void {
    const left = new Set(this.stack.locks.map(({ id }) => id))
    const fresh = this.stack.locks.filter((lock) => !before.locks.some(({ id }) => id === lock.id))
    const verdicts = effects.filter((effect) => effect.type === 'verdict')
    for (const { id, place, asker } of [...before.locks, ...fresh]) {
      const own = verdicts.filter(({ lock }) => lock.id === id)
      const ends = own.filter(({ outcome }) => outcome !== 'failed')
      expect(own.length).toBeLessThanOrEqual(1)
      const forOneAnswer = place === undefined && asker === undefined
      if (left.has(id)) expect(ends).toEqual([])
      else expect(forOneAnswer ? own : ends).toHaveLength(1)
      if (!left.has(id)) this.#ended.add(id)
    }
    for (const { lock } of verdicts) expect(before.locks.map(({ id }) => id)).toContain(lock.id)
  }

  /** Verdicts come before what follows from them, and that before what is asked next. */
  #checkOrder(effects: readonly LockEffect[]): void {
    const ranks = { refuse: 0, verdict: 0, lockedOut: 0, unlocked: 1 }
    const rank = ({ type }: LockEffect) => (type in ranks ? ranks[type as keyof typeof ranks] : 2)
    const found = effects.map(rank)
    expect(found).toEqual(found.toSorted((a, b) => a - b))
  }

  #check(effect: LockEffect, later: readonly LockEffect[]): void {
    switch (effect.type) {
      case 'begin':
      case 'judge':
        return this.#checkWork(effect)
      case 'challenge':
        return this.#checkChallenge(effect)
      case 'verdict':
        return this.#checkVerdict(effect)
      case 'unlocked':
        return this.#checkUnlocked(effect.place)
      case 'refuse':
        return this.#countAnswer(effect.frame)
      case 'lockedOut':
        return this.#checkLockedOut(effect, later)
    }
  }

  #checkWork(effect: Effect<'begin' | 'judge'>): void {
    const { lock } = effect
    expect(this.stack.locks).toContain(lock)
    expect(lock.phase).toBe(effect.type === 'begin' ? 'beginning' : 'judging')
    expect(lock.values).toEqual(this.#values.get(lock.id) ?? {})
    this.outstanding.push({ lock: lock.id, round: lock.round })
    if (effect.type === 'begin') return
    // Each response is judged by whom it was meant for, and once.
    const { value } = effect.response
    expect(this.#unjudged.get(value)).toBe(lock.choice.acceptor)
    this.#unjudged.delete(value)
  }

  #checkChallenge({ lock, depth, frame }: Effect<'challenge'>): void {
    expect(this.stack.locks[depth - 1]?.id).toBe(lock.id)
    expect(lock.phase).toBe('asked')
    if (frame === 0) expect(depth).toBe(this.stack.locks.length)
    this.#countAnswer(frame)
  }

  #checkVerdict({ lock, outcome, code, values, frame }: Verdict): void {
    this.#countAnswer(frame)
    if (outcome === 'passed') expect(values).toEqual(this.#values.get(lock.id))
    else expect(values).toEqual({})
    if (outcome === 'failed' && lock.place === undefined && lock.asker === undefined) {
      if (code !== Code.UNAVAILABLE) this.#wrongInLobby++
      expect(lock.triesLeft).toBe(LOBBY_TRIES - this.#wrongInLobby)
    }
  }

  #checkUnlocked(place: string): void {
    this.unlocked.push(place)
    expect(this.stack.locks.filter((lock) => lock.place === place)).toEqual([])
    const wanted = this.#wanted.get(place)
    expect(wanted === undefined || isSatisfied(wanted.flow, wanted.proved)).toBe(true)
    this.#wanted.delete(place)
  }

  #checkLockedOut({ place, code }: Effect<'lockedOut'>, later: readonly LockEffect[]): void {
    const concerned = later.filter((effect) =>
      'lock' in effect ? effect.lock.place === place : 'place' in effect && effect.place === place,
    )
    expect(concerned).toEqual([])
    if (code !== Code.NESTING_TOO_DEEP || place === undefined) {
      expect(this.stack.locks.filter((lock) => lock.place === place)).toEqual([])
    }
    if (place === undefined) this.over = true
    else if (!this.stack.locks.some((lock) => lock.place === place)) this.#wanted.delete(place)
  }

  #countAnswer(frame: number): void {
    if (frame === 0) return
    this.#answered.set(frame, (this.#answered.get(frame) ?? 0) + 1)
  }

  /** Every answer is answered once, or waits ahead or at a lock, in one place. */
  #checkFrames(): void {
    const { ahead, locks } = this.stack
    const waiting = [...ahead.values(), ...locks].map(({ frame }) => frame).filter(Boolean)
    for (const [frame, times] of this.#answered) {
      expect(times + waiting.filter((each) => each === frame).length).toBe(1)
    }
  }

  /** A place whose flow is satisfied is unlocked by now. */
  #checkPlaces(): void {
    for (const { flow, proved } of this.#wanted.values()) {
      expect(isSatisfied(flow, proved)).toBe(false)
    }
  }
}
