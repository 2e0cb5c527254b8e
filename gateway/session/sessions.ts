/**
 * All sessions of a gateway: opened by an ingress, looked after by one timer, drained at the end.
 */
import { Code } from '@porthouse/proto/v1/code'
import { isExpired } from '../identity/expiry.ts'
import type { Entry } from '../protocol/address.ts'
import type { Core } from './core.ts'
import { enter, unlocked } from './entry/entry.ts'
import { letGo } from './identity/identity.ts'
import { leaveLock } from './locks/lock-address.ts'
import { stepLocks } from './locks/locks.ts'
import { receive, resume } from './receive.ts'
import { Session, type SessionHooks, type SessionParts } from './session.ts'
import { type Snapshot, Snapshots } from './snapshot.ts'

/** How often deadlines are looked at, in milliseconds; at most this late they are kept. */
const SWEEP_MS = 500

/** A sweep this late says that the process stood still, in milliseconds. */
const STALL_MS = 4 * SWEEP_MS

/** It is about to be gone: nothing is kept for it any more. */
function ending(session: Session): void {
  session.core.technical.ended(session, session.endCode)
  for (const { id } of session.stack.locks) leaveLock(session, id)
  session.core.resumes.end(session)
  letGo(session)
  session.core.lobbies.leaveAll(session)
}

export class Sessions {
  readonly #core: Core
  readonly #all = new Set<Session>()
  readonly #sweeper: NodeJS.Timeout
  readonly #hooks: SessionHooks
  readonly #snapshots: Snapshots
  #sweptAt: number
  /** No more sockets are to be opened. */
  draining = false

  constructor(core: Core) {
    this.#core = core
    this.#sweptAt = core.uptime()
    this.#snapshots = new Snapshots(core.counts, core.rooms)
    this.#snapshots.sample(this.#sweptAt)
    const ended = (session: Session) => void this.#all.delete(session)
    this.#hooks = { resume, unlocked, ending, ended }
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS).unref()
  }

  get all(): Iterable<Session> {
    return this.#all
  }

  get count(): number {
    return this.#all.size
  }

  /** What goes on in all of them. */
  snapshot(): Snapshot {
    return this.#snapshots.take(this.#core.uptime())
  }

  /** What an ingress needs to take packets in. */
  get intake() {
    const { turn, options } = this.#core
    return { turn, bytesMax: options.limits.packetBytes, deliver: receive }
  }

  /** Whether somebody new from this IP address may try (K15). */
  mayTry(address: string): boolean {
    return this.#core.failures.allows(address)
  }

  open(parts: SessionParts): Session {
    const session = new Session(this.#core, parts, this.#hooks)
    this.#all.add(session)
    this.#core.technical.connected(session)
    return session
  }

  /** A sign of life that is no packet. */
  heard(session: Session): void {
    session.heardAt = this.#core.uptime()
  }

  /** A sign of life by which it has read all that was written up to a position: see Wire.ping. */
  answered(session: Session, position: number): void {
    this.heard(session)
    session.outbox.answered(position)
  }

  /** Goes where the URL says, as a first Join would (R6). */
  enter(session: Session, entry: Entry): void {
    if (entry.kind === 'main') return
    const { address: target } = entry
    const client = entry.kind === 'room' ? entry.client : undefined
    session.urlClient = client
    enter(session, { frameId: 0, target, listen: 'ifPermitted', ...(client && { client }) })
  }

  /** Tells a public notice to all who hear the technical channel (R10); at most 256 bytes. */
  announce(detail: string): void {
    this.#core.technical.announce(this.#all, detail)
  }

  /** Tells everybody to reconnect, and gives what is written `drainMs` to get out (R55). */
  async drain(drainMs: number): Promise<void> {
    this.draining = true
    clearInterval(this.#sweeper)
    const all = [...this.#all]
    const gone = all.map((session) => session.wire.closed)
    this.announce('the gateway goes down')
    for (const session of all) session.drop(Code.DRAINING, 'the gateway goes down')
    const late = AbortSignal.timeout(drainMs)
    const timeout = new Promise((resolve) => late.addEventListener('abort', resolve))
    await Promise.race([Promise.all(gone), timeout])
    for (const session of all) session.wire.terminate()
  }

  #sweep(): void {
    const now = this.#core.uptime()
    const late = now - this.#sweptAt > STALL_MS
    this.#sweptAt = now
    this.#snapshots.sample(now)
    // After a stall the signs of life of meanwhile are still to be read.
    if (!late) for (const session of this.#all) this.#look(session, now)
  }

  #look(session: Session, now: number): void {
    const { clock, options } = this.#core
    stepLocks(session, { type: 'tick', now })
    if (session.closed) return
    const inLimbo = !session.unlocked && session.stack.locks.length === 0
    if (inLimbo && now - session.openedAt >= options.limbo.deadlineMs) {
      return session.drop(Code.LOCK_DEADLINE, 'nothing was unlocked in time')
    }
    const expired = session.proofs.find((proof) => isExpired(proof, clock()))
    if (expired) {
      const code = expired.token ? Code.TOKEN_EXPIRED : Code.PROOF_EXPIRED
      return session.drop(code, 'what was proved is past its expiry')
    }
    if (session.outbox.stalled(now)) {
      return session.drop(Code.SLOW_CONSUMER, 'nothing was taken for too long')
    }
    if (!session.wire.paused) session.outbox.probe(now)
    this.#lookForLife(session, now)
  }

  /** One who has been silent for a heartbeat is asked, and has as long again to answer. */
  #lookForLife(session: Session, now: number): void {
    const { heartbeatMs } = this.#core.options
    const { patienceMs } = session.wire
    if (patienceMs !== undefined) {
      if (now - session.heardAt <= patienceMs) return
      return session.drop(Code.HEARTBEAT_TIMEOUT, 'no sign of life')
    }
    if (session.pingedAt > session.heardAt) {
      if (now - session.pingedAt < heartbeatMs) return
      return session.drop(Code.HEARTBEAT_TIMEOUT, 'no sign of life')
    }
    if (now - session.heardAt < heartbeatMs) return
    session.pingedAt = now
    session.outbox.ping()
  }
}
