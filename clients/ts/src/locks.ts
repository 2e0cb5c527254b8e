import { Code } from '@porthouse/proto/v1/code'
import type {
  Challenge as WireChallenge,
  Verdict as WireVerdict,
} from '@porthouse/proto/v1/lock_step'
import type { Answerer, OnStep } from './answerer.ts'
import { Answers, isWhole } from './answers.ts'
import { codeError, PorthouseError } from './error.ts'
import { Exchange, type ExchangeHost } from './exchange.ts'
import { isSameAsk, type Lock, newLock, unanswered, unheard } from './lock.ts'
import {
  type Challenge,
  type Response,
  readChallenge,
  readVerdict,
  type Verdict,
} from './lock-step.ts'

export interface LocksOptions {
  /** In the order of preference. */
  readonly answerers: readonly Answerer[]
  /** What the gateway is called in what is signed. */
  readonly gateway: string
  /** Whether the URL names a place, whose locks ask by themselves. */
  readonly entering: boolean
  readonly onStep: OnStep | undefined
}

export interface LocksHost extends ExchangeHost {
  newId(): number
  push(frame: Uint8Array): void
  /**
   * Nobody answers this lock, so whatever waited for its place does so in vain. `question`: id of
   * the frame that led to it, 0 where it came by itself.
   */
  stuck(question: number, place: string, error: PorthouseError): void
  /** The connection is of no use. */
  fail(error: PorthouseError): void
  /** Something is settled. */
  progress(): void
  /** An answer may take so long. */
  waits(ms: number): void
}

/** An answer that a lock did not take. */
interface Wrong {
  readonly exchange: Exchange
  readonly nominated: boolean
  readonly error: PorthouseError
}

/** As the protocol bounds a socket's stack, and answers given ahead. */
const LOCKS_MAX = 16
const AHEAD_MAX = 8
/** Challenges with nothing passed between them: whoever asks on and on is left. */
const CHALLENGES_MAX = 64

/** The locks of one connection: what is asked, who answers, and what became of it (R12, R13). */
export class Locks {
  readonly #options: LocksOptions
  readonly #answerers: readonly Answerer[]
  readonly #host: LocksHost
  readonly #locks = new Map<string, Lock>()
  readonly #sent: Answers
  #nominations: readonly Answerer[]
  #challenges = 0
  #verifying = 0
  /** Challenges that wait for Welcome, which tells this socket's address. */
  #held: Lock[] | undefined = []
  #resuming = false
  #resumed = false
  #established = false
  /** Whether no place's locks come before what is nominated. */
  #inLobby: boolean
  /** Something that an answerer has proved. */
  #proved = false
  #over = false

  constructor(options: LocksOptions, host: LocksHost) {
    this.#options = options
    this.#host = host
    this.#sent = new Answers(() => host.newId())
    const { answerers, entering } = options
    const isForAny = ({ acceptor }: Answerer) => Number(acceptor === '*')
    this.#answerers = answerers.toSorted((a, b) => isForAny(a) - isForAny(b))
    this.#inLobby = !entering
    this.#nominations = entering ? [] : answerers.filter(({ nominates }) => nominates)
  }

  /** Whether all that connecting waits for is proved. */
  get settled(): boolean {
    const waits = this.#verifying > 0 || this.#sent.awaited || this.#hasNominated
    return this.#nominations.length === 0 && !waits
  }

  /** Whether all that may be asked was said ahead, so that what comes behind need not wait. */
  get greeted(): boolean {
    if (this.#nominations.length > 0 || !this.#isFree) return false
    return !this.#options.entering || this.#answerers.length === this.#sent.size
  }

  /** Whether the main lobby has place for another lock of ours. */
  get #isFree(): boolean {
    return !this.#sent.holdLobby && !this.#hasNominated
  }

  get #hasNominated(): boolean {
    return [...this.#locks.values()].some(({ nominated }) => nominated)
  }

  /** Whether an answer of ours with this id is not answered. */
  has(id: number): boolean {
    return this.#sent.has(id)
  }

  /** Answers for the first packet. `resuming`: what may turn out needless waits for Welcome. */
  greeting(resuming: boolean): Uint8Array[] {
    this.#resuming = resuming
    if (!this.#options.entering) return this.#nominate()
    const frames: Uint8Array[] = []
    const acceptors = new Set<string>()
    for (const answerer of this.#answerers) {
      if (acceptors.has(answerer.acceptor) || frames.length === AHEAD_MAX) continue
      const exchange = this.#exchange(answerer, 1)
      const response = answerer.ahead?.(exchange.context)
      if (response === undefined) continue
      acceptors.add(answerer.acceptor)
      frames.push(this.#sent.encode(exchange, response, undefined, answerer.nominates === true))
    }
    return frames
  }

  /**
   * Those that prove themselves in the main lobby, which has place for one lock at a time: all that
   * take one step, up to the first that takes more.
   */
  #nominate(): Uint8Array[] {
    const frames: Uint8Array[] = []
    let whole = this.#isFree
    while (whole) {
      const [answerer, ...rest] = this.#nominations
      if (!answerer) break
      const exchange = this.#exchange(answerer, 1)
      const response = answerer.ahead?.(exchange.context)
      whole = isWhole(response)
      if (this.#resuming && !whole) break
      this.#nominations = rest
      frames.push(this.#sent.encode(exchange, response, undefined, true))
    }
    return frames
  }

  /** `resumed`: what was proved before counts as proved. */
  welcomed(resumed: boolean): void {
    this.#resuming = false
    this.#resumed = resumed
    if (resumed) this.#nominations = []
    this.#pushAll(this.#nominate())
    const held = this.#held ?? []
    this.#held = undefined
    for (const lock of held) if (this.#isOpen(lock)) this.#meet(lock)
  }

  /** The place of the URL is entered. Where it asked for nothing, the client says who it is. */
  entered(): void {
    if (this.#inLobby || this.#established) return
    this.#inLobby = true
    if (this.#proved || this.#resumed) return
    const { answerers } = this.#options
    this.#nominations = answerers.filter((each) => each.nominates && !this.#sent.isAhead(each))
    this.#pushAll(this.#nominate())
  }

  /** All that connecting waits for is there. */
  established(): void {
    this.#established = true
    this.#challenges = 0
  }

  /** Throws a PorthouseError that ends the connection. */
  challenge(id: number, wireLock: string, wire: WireChallenge): void {
    const challenge = readChallenge(wireLock, wire)
    if (++this.#challenges > CHALLENGES_MAX) throw tooMany('The gateway asks on and on')
    const sent = this.#sent.take(id)
    const isSame = sent !== undefined && (sent.lock ?? challenge.lock) === challenge.lock
    const asker = sent?.lock === undefined ? undefined : this.#locks.get(sent.lock)
    const question = sent ? (asker?.question ?? 0) : id
    const lock = this.#reach(challenge, question, isSame ? sent.exchange : undefined)
    if (sent?.nominated) lock.nominated = true
    this.#tell(lock)
    // Where nobody could answer, Welcome makes no difference, unless the lock may yet be resumed.
    if (this.#held && (this.#resuming || this.#canGoOn(lock))) this.#held.push(lock)
    else this.#meet(lock)
  }

  /** `exchange`: what the challenge goes on with. */
  #reach(challenge: Challenge, question: number, exchange?: Exchange): Lock {
    const known = this.#locks.get(challenge.lock)
    if (!known && this.#locks.size === LOCKS_MAX) throw tooMany(`More than ${LOCKS_MAX} locks`)
    const lock = known ?? newLock(challenge, question)
    const isRepeated = isSameAsk(lock.challenge.ask, challenge.ask)
    const goesOn = exchange ?? (isRepeated ? lock.exchange : undefined)
    if (lock.exchange !== goesOn) lock.exchange?.end()
    lock.exchange = goesOn
    lock.question ||= question
    lock.challenge = challenge
    lock.choice = challenge.acceptor
    lock.answered = false
    this.#locks.set(challenge.lock, lock)
    return lock
  }

  #tell(lock: Lock): void {
    const { onStep } = this.#options
    if (!onStep) return
    const { challenge } = lock
    const respond = (response: Response | undefined, acceptor = challenge.acceptor) => {
      if (!this.#isCurrent(lock, challenge)) return
      const person: Answerer = {
        acceptor,
        tries: Number.POSITIVE_INFINITY,
        answer: () => undefined,
      }
      lock.exchange?.end()
      lock.exchange = this.#exchange(person, 1)
      this.#send(lock, lock.exchange, response)
    }
    lock.told = (async () => onStep({ kind: 'challenge', challenge, respond }))()
    // It is looked at when nobody else answers.
    lock.told.catch(() => {})
  }

  /** Goes on with what is being said, or finds who answers. */
  #meet(lock: Lock): void {
    if (lock.answered || !this.#isNewest(lock)) return
    if (this.#sent.reach(lock.challenge)) return
    if (!this.#inLobby) this.#sent.park()
    if (lock.exchange) void this.#ask(lock, lock.exchange)
    else this.#pick(lock)
    this.#host.progress()
  }

  #fitting({ challenge, failures }: Lock): Answerer | undefined {
    const { acceptor: asked, others } = challenge
    return this.#answerers.find((answerer) => {
      const { acceptor, tries = 1 } = answerer
      if ((failures.get(answerer) ?? 0) >= tries) return false
      return acceptor === asked || acceptor === '*' || others.includes(acceptor)
    })
  }

  #canGoOn(lock: Lock): boolean {
    return this.#options.onStep !== undefined || this.#fitting(lock) !== undefined
  }

  #pick(lock: Lock): void {
    const answerer = this.#fitting(lock)
    if (!answerer) return void this.#leftOver(lock)
    const exchange = this.#exchange(answerer, (lock.failures.get(answerer) ?? 0) + 1)
    lock.exchange = exchange
    void this.#ask(lock, exchange)
  }

  async #ask(lock: Lock, exchange: Exchange): Promise<void> {
    const { challenge } = lock
    const { answerer, context } = exchange
    const isCurrent = () =>
      this.#isCurrent(lock, challenge) && this.#isNewest(lock) && lock.exchange === exchange
    this.#host.waits(challenge.deadlineMs)
    try {
      // The rest of the packet may resolve it, or hold a newer lock, which is to be answered first.
      await undefined
      if (!isCurrent()) return
      // It was another one that asked, so what this one asks is not known.
      if (lock.choice !== challenge.acceptor || wanted(answerer, challenge) !== lock.choice) {
        return this.#send(lock, exchange, answerer.ahead?.(context))
      }
      const response = await answerer.answer(challenge, context)
      // Where it is not the newest any more, it is asked again when it is.
      if (!isCurrent() || response === null) return
      if (response !== undefined) return this.#send(lock, exchange, response)
    } catch (error) {
      if (isCurrent()) this.#giveUp(lock, error)
      return
    }
    lock.failures.set(answerer, Number.POSITIVE_INFINITY)
    lock.exchange = undefined
    this.#pick(lock)
  }

  /** No answerer takes it: it is for whoever was told of it. */
  async #leftOver(lock: Lock): Promise<void> {
    const { challenge, told } = lock
    let error: unknown = lock.error ?? unanswered(challenge)
    if (told) this.#host.waits(challenge.deadlineMs)
    try {
      await told
    } catch (reason) {
      error = reason
    }
    if (this.#isCurrent(lock, challenge)) this.#giveUp(lock, error)
  }

  #giveUp(lock: Lock, reason: unknown): void {
    const error = asError(reason)
    this.#close(lock)
    if (lock.nominated) this.#host.fail(error)
    else this.#host.stuck(lock.question, lock.challenge.place, error)
  }

  /** Throws a PorthouseError that ends the connection. */
  verdict(id: number, wireLock: string, wire: WireVerdict): void {
    const verdict = readVerdict(wireLock, wire)
    const sent = this.#sent.take(id)
    const isOther = sent?.lock !== undefined && sent.lock !== wireLock
    if (isOther && sent.nominated) {
      throw new PorthouseError('FRAME_NOT_ALLOWED', { detail: 'A verdict of another lock' })
    }
    const lock = wireLock ? this.#locks.get(wireLock) : undefined
    const exchange = (isOther ? undefined : sent?.exchange) ?? lock?.exchange
    const nominated = (!isOther && sent?.nominated) || lock?.nominated || false
    if (lock) this.#sent.forget(wireLock)
    this.#tellVerdict(verdict)
    const error = codeError(wire.code || Code.UNAUTHENTICATED)
    if (verdict.outcome === 'passed') this.#passed(verdict, lock, exchange)
    else if (verdict.outcome === 'failed' && exchange) {
      this.#failed(verdict, lock, { exchange, nominated, error })
    }
    if (verdict.outcome === 'dropped') {
      if (lock) this.#close(lock)
      if (nominated) throw error
    }
    this.#host.progress()
  }

  #passed(verdict: Verdict, lock: Lock | undefined, exchange: Exchange | undefined): void {
    if (this.#established && (lock || exchange)) this.#challenges = 0
    if (exchange) this.#proved = true
    if (exchange?.answerer.passed) void this.#verify(verdict, exchange)
    if (lock) this.#close(lock)
    this.#pushAll(this.#nominate())
  }

  #tellVerdict(verdict: Verdict): void {
    const { onStep } = this.#options
    if (!onStep) return
    const told = (async () => onStep({ kind: 'verdict', verdict }))()
    // Reported as any other fault of a listener.
    told.catch((error) =>
      queueMicrotask(() => {
        throw error
      }),
    )
  }

  /** Whether the gateway has proved itself in turn. */
  async #verify(verdict: Verdict, exchange: Exchange): Promise<void> {
    this.#verifying++
    try {
      await exchange.answerer.passed?.(verdict, exchange.context)
      this.#verifying--
      if (!this.#over) this.#host.progress()
    } catch (error) {
      if (!this.#over) this.#host.fail(asError(error))
    }
  }

  #failed({ lock: id, triesLeft }: Verdict, known: Lock | undefined, wrong: Wrong): void {
    const { exchange, nominated, error } = wrong
    const { answerer, context } = exchange
    // What cannot be judged now may be later.
    const spent = error.temporary || context.attempt >= (answerer.tries ?? 1)
    if (nominated && this.#inLobby) {
      if (known) this.#close(known)
      if (spent) throw error
      const again = this.#exchange(answerer, context.attempt + 1)
      const response = answerer.ahead?.(again.context)
      return this.#host.push(this.#sent.encode(again, response, undefined, true))
    }
    const lock = known ?? this.#reach(unheard(id, answerer.acceptor), 0)
    const { acceptor, ask } = lock.challenge
    lock.challenge = { ...lock.challenge, triesLeft }
    lock.choice = wanted(answerer, lock.challenge)
    lock.nominated = nominated
    lock.error = error
    lock.answered = false
    lock.failures.set(answerer, context.attempt)
    exchange.end()
    lock.exchange = undefined
    if (error.temporary || !this.#canGoOn(lock)) return this.#giveUp(lock, error)
    // What asks for something in particular asks anew.
    if (lock.choice === acceptor && ask.kind !== 'nothing') return
    this.#tell(lock)
    this.#meet(lock)
  }

  /** Whether a Drop with this id refuses an answer of ours. */
  refused(id: number, error: PorthouseError): boolean {
    const sent = this.#sent.take(id)
    if (!sent) return false
    if (sent.nominated) throw error
    const lock = sent.lock === undefined ? undefined : this.#locks.get(sent.lock)
    // Without its lock, that has ended meanwhile; or no lock ever wanted what was given ahead.
    if (!lock) return true
    lock.answered = false
    // Another lock came before it: it is asked again when it is the newest.
    if (error.code !== 'FRAME_NOT_ALLOWED') this.#giveUp(lock, error)
    return true
  }

  /** The connection is gone. */
  end(): void {
    this.#over = true
    for (const lock of this.#locks.values()) this.#close(lock)
    this.#sent.end()
  }

  #isOpen(lock: Lock): boolean {
    return !this.#over && this.#locks.get(lock.challenge.lock) === lock
  }

  /** Whether that challenge still waits for an answer. */
  #isCurrent(lock: Lock, challenge: Challenge): boolean {
    return this.#isOpen(lock) && lock.challenge === challenge && !lock.answered
  }

  /** Only the newest lock takes an answer. */
  #isNewest(lock: Lock): boolean {
    const { depth } = lock.challenge
    return (
      this.#isOpen(lock) && ![...this.#locks.values()].some((each) => each.challenge.depth > depth)
    )
  }

  #close(lock: Lock): void {
    this.#locks.delete(lock.challenge.lock)
    lock.exchange?.end()
  }

  #exchange(answerer: Answerer, attempt: number): Exchange {
    return new Exchange(answerer, this.#options.gateway, attempt, this.#host)
  }

  #send(lock: Lock, exchange: Exchange, response: Response | undefined): void {
    try {
      this.#host.push(this.#sent.encode(exchange, response, lock.challenge, lock.nominated))
      lock.answered = true
    } catch (error) {
      this.#giveUp(lock, error)
    }
  }

  #pushAll(frames: Uint8Array[]): void {
    for (const frame of frames) this.#host.push(frame)
  }
}

/** The acceptor that it answers there. */
function wanted({ acceptor }: Answerer, challenge: Challenge): string {
  return acceptor === '*' ? challenge.acceptor : acceptor
}

/** An answerer that throws has no proof. */
function asError(cause: unknown): PorthouseError {
  if (cause instanceof PorthouseError) return cause
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new PorthouseError('UNAUTHENTICATED', { detail, cause })
}

function tooMany(detail: string): PorthouseError {
  return new PorthouseError('NESTING_TOO_DEEP', { detail })
}
