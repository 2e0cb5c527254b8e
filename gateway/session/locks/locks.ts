/**
 * A session's locks: the stack says what is to be done (locks/stack.ts), here it is done, and what
 * comes of it goes back into the stack.
 */
import { Code } from '@porthouse/proto/v1/code'
import { EventKind } from '@porthouse/proto/v1/event'
import { Outcome } from '@porthouse/proto/v1/lock_step'
import type { Acceptor, LockContext, LockStep } from '../../locks/acceptor.ts'
import { type Flow, locksIn, partsOf, remaining } from '../../locks/flow.ts'
import type { Judgement, Lock, LockEffect, LockInput, NewLock } from '../../locks/lock.ts'
import { isNamed, type Proof } from '../../locks/proof.ts'
import { othersOf, reduceLocks } from '../../locks/stack.ts'
import { accountIn } from '../../protocol/address.ts'
import { lockedOut, wisherOf } from '../entry/waiting.ts'
import { adopt } from '../identity/identity.ts'
import type { Session } from '../session.ts'
import { leaveLock, reachLock } from './lock-address.ts'
import { lockContext, resolves } from './lock-context.ts'

/** What of a flow the socket's proofs leave to be resolved; undefined: nothing. */
export function leftOf(session: Session, flow: Flow, place: string | undefined): Flow | undefined {
  if (isUnbarred(session, place)) return undefined
  return remaining(flow, (lock) => resolves(session, session.proofs, lock, place))
}

function isUnbarred({ proofs }: Session, place: string | undefined): boolean {
  return proofs.some(({ unbarred, account }) => {
    return unbarred && account && place !== undefined && isNamed(account, accountIn(place))
  })
}

/** A flow as locks to be set now. In limbo, no deadline goes beyond what the flow itself says. */
export function locksFor(session: Session, flow: Flow): NewLock[] {
  const { core, unlocked: known, openedAt } = session
  const since = core.uptime()
  const from = known ? since : openedAt
  return partsOf(flow).map((part) => ({
    id: core.newId(),
    flow: part,
    since,
    deadline: from + Math.max(...locksIn(part).map(({ deadlineMs }) => deadlineMs)),
  }))
}

export function stepLocks(session: Session, input: LockInput): void {
  const before = session.stack.locks
  const [stack, effects] = reduceLocks(session.stack, input)
  session.stack = stack
  if (stack.locks !== before) session.changed()
  for (const lock of before) if (!hasLock(session, lock.id)) leaveLock(session, lock.id)
  for (const lock of stack.locks)
    if (!before.some(({ id }) => id === lock.id)) {
      reachLock(session, lock)
      tellOf(session, lock, EventKind.LOCKED)
    }
  for (const effect of effects) if (!session.closed) apply(session, effect)
}

/** The newest lock tells once more what it asks, to one that could not hear it before. */
export function askAgain(session: Session): void {
  const top = session.stack.locks.at(-1)
  if (top?.phase !== 'asked' || top.place === undefined) return
  stepLocks(session, { type: 'guard', place: top.place, locks: [] })
}

/** What a lock in the main lobby asks for is nobody's but the client's. */
function tellOf(session: Session, lock: Lock, kind: EventKind, code: Code = 0): void {
  const { place, id, choice } = lock
  if (place === undefined) return
  const { acceptor } = choice
  session.core.technical.at(session, { kind, place, lock: id, acceptor, code })
}

function tellVerdict(session: Session, { lock, outcome, code }: Effect<'verdict'>): void {
  if (outcome === 'passed') return tellOf(session, lock, EventKind.UNLOCKED)
  if (outcome === 'failed') return
  // One in limbo goes, unless it was itself that gave the lock up.
  const goes = !session.unlocked && code !== Code.UNSPECIFIED
  tellOf(session, lock, goes ? EventKind.DROPPED : EventKind.LEFT, code)
}

function hasLock({ stack }: Session, id: string): boolean {
  return stack.locks.some((lock) => lock.id === id)
}

function apply(session: Session, effect: LockEffect): void {
  switch (effect.type) {
    case 'begin':
      return run(session, effect.lock, (acceptor, context) => acceptor.begin(context))
    case 'judge':
      return run(session, effect.lock, (acceptor, context) =>
        acceptor.answer(effect.response, context, effect.lock.state),
      )
    case 'challenge':
      return challenge(session, effect)
    case 'verdict':
      tellVerdict(session, effect)
      return verdict(session, effect)
    case 'unlocked':
      return session.unlockedAt(effect.place)
    case 'lockedOut':
      if (effect.code !== Code.UNSPECIFIED) session.core.counts.lockedOut.add(effect.code)
      return lockedOut(session, effect.place, effect.code)
    case 'refuse':
      return session.refuse(effect.frame, effect.code, effect.detail)
  }
}

type Effect<T extends LockEffect['type']> = Extract<LockEffect, { type: T }>

/** Asks the acceptor. What cannot be judged is no proof, and never a pass (A18). */
function run(
  session: Session,
  lock: Lock,
  ask: (acceptor: Acceptor, context: LockContext) => LockStep | Promise<LockStep>,
): void {
  const { core } = session
  // What was done for an effect before this one may have ended the lock.
  if (!isCurrent(session, lock)) return
  const acceptor = core.acceptors.get(lock.choice.acceptor)
  if (!acceptor) throw new Error(`no acceptor ${lock.choice.acceptor}`)
  const { id, place, values, choice } = lock
  const context = lockContext(session, { id, place, values, options: choice.options })
  const { told } = core.holders
  const failed = (error: unknown) => notJudged(session, lock, error)
  let step: LockStep | Promise<LockStep>
  try {
    step = ask(acceptor, context)
  } catch (error) {
    step = failed(error)
  }
  if (!(step instanceof Promise)) return judged(session, lock, step, told)
  const settled = step.catch(failed).then((value) => judged(session, lock, value, told))
  if (acceptor.prompt) session.wait(settled)
  else settled.catch((error) => session.fail(error))
}

/** `told`: changes of the store that had been told when the acceptor was asked. */
function judged(session: Session, lock: Lock, step: LockStep, told: number): void {
  // The lock may have been dropped meanwhile, and then the answer was refused.
  if (session.closed || !isCurrent(session, lock)) return
  if (step.outcome === 'challenge' && step.later) awaitLater(session, lock, step.later, told)
  const isWrong = isWrongAnswer(lock, step)
  if (isWrong) session.core.failures.add(session.handshake.remote)
  countLogin(session, lock, step, isWrong)
  const judgement = judgementOf(session, lock, step, told)
  const resolves = judgement.outcome === 'passed' ? resolvedLocks(session) : []
  stepLocks(session, { type: 'judged', lock: lock.id, round: lock.round, judgement, resolves })
  session.core.resumes.offer(session)
}

function isCurrent({ stack }: Session, { id, round }: Lock): boolean {
  return stack.locks.some((each) => each.id === id && each.round === round)
}

/** What a lock finds in the handshake, or cannot judge, nobody has answered wrong. */
function isWrongAnswer({ phase }: Lock, step: LockStep): boolean {
  return phase === 'judging' && step.outcome === 'failed' && step.code !== Code.UNAVAILABLE
}

function countLogin({ core }: Session, { choice }: Lock, step: LockStep, isWrong: boolean): void {
  const { passed, failed, unavailable } = core.counts.logins
  if (step.outcome === 'passed') passed.add(choice.acceptor)
  else if (isWrong) failed.add(choice.acceptor)
  else if (step.outcome === 'failed' && step.code === Code.UNAVAILABLE) {
    unavailable.add(choice.acceptor)
  }
}

/** A verdict that comes without an answer; void once there is one, which the round tells. */
function awaitLater(session: Session, lock: Lock, later: Promise<LockStep>, told: number): void {
  const settled = later.catch((error) => notJudged(session, lock, error))
  settled.then((step) => judged(session, lock, step, told)).catch((error) => session.fail(error))
}

function notJudged({ core, id }: Session, lock: Lock, error: unknown): LockStep {
  core.log.warn({ socket: id, acceptor: lock.choice.acceptor, err: error }, 'not judged')
  return { outcome: 'failed', code: Code.UNAVAILABLE }
}

function judgementOf(session: Session, lock: Lock, step: LockStep, told: number): Judgement {
  if (step.outcome === 'needs') {
    const flow = leftOf(session, step.flow, lock.place)
    return { outcome: 'needs', locks: flow ? locksFor(session, flow) : [] }
  }
  if (step.outcome !== 'passed') return step
  const { place, choice } = lock
  const { key } = choice
  const taken = place !== undefined && key !== undefined && takenAt(session, place, key)
  const refusal = adopt(session, { ...step.proof, ...(taken && { lock: taken }) }, told)
  return refusal ? { outcome: 'dropped', code: refusal.code } : step
}

function takenAt({ waiting }: Session, place: string, key: string): Proof['lock'] {
  const room = waiting.find((entry) => entry.place === place)?.room
  return { place, key, ...(room !== undefined && { room }) }
}

/** Ids of locks on the stack that what the socket has proved resolves. */
function resolvedLocks(session: Session): string[] {
  return session.stack.locks
    .filter(({ phase, place }) => phase !== 'judging' && place !== undefined)
    .filter(({ flow, place }) => leftOf(session, flow, place) === undefined)
    .map(({ id }) => id)
}

function challenge(session: Session, { lock, depth, frame }: Effect<'challenge'>): void {
  const { acceptor } = lock.choice
  const value = {
    acceptor,
    place: lock.place ?? '',
    depth,
    triesLeft: lock.triesLeft,
    deadlineMs: Math.max(0, Math.round(lock.deadline - session.core.uptime())),
    others: othersOf(lock),
    ask: lock.ask,
  }
  session.send(frame || wisherOf(session, lock.place), {
    case: 'lockStep',
    value: { lock: `lock:${lock.id}`, step: { case: 'challenge', value } },
  })
}

const OUTCOMES = {
  passed: Outcome.PASSED,
  failed: Outcome.FAILED,
  dropped: Outcome.DROPPED,
} as const

function verdict(session: Session, effect: Effect<'verdict'>): void {
  const { lock, outcome, code, values, frame } = effect
  const value = {
    outcome: OUTCOMES[outcome],
    code,
    values: { ...values },
    triesLeft: outcome === 'failed' ? lock.triesLeft : 0,
  }
  session.send(frame, {
    case: 'lockStep',
    value: { lock: `lock:${lock.id}`, step: { case: 'verdict', value } },
  })
}
