/** All sessions of a gateway: opened by an ingress, looked after by one timer, drained at the end. */
import { Code } from '@porthouse/proto/v1/code'
import type { Entry } from '../protocol/address.ts'
import type { Lane } from '../router/lane.ts'
import type { Core } from './core.ts'
import { enter, stepLocks } from './entry.ts'
import { receive, resume } from './receive.ts'
import { Session } from './session.ts'
import type { Wire } from './wire.ts'

/** How often deadlines are looked at, in milliseconds; at most this late they are kept. */
const SWEEP_MS = 500

export class Sessions {
  readonly #core: Core
  readonly #all = new Set<Session>()
  readonly #sweeper: NodeJS.Timeout
  /** No more sockets are to be opened. */
  draining = false

  constructor(core: Core) {
    this.#core = core
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS).unref()
  }

  get count(): number {
    return this.#all.size
  }

  get packetBytesMax(): number {
    return this.#core.options.limits.packetBytes
  }

  open(wire: Wire, lane: Lane): Session {
    const session = new Session(this.#core, wire, lane, {
      resume,
      ended: () => this.#all.delete(session),
    })
    this.#all.add(session)
    return session
  }

  /** Takes the packet in bytes[start, end). */
  receive(session: Session, bytes: Buffer, start = 0, end = bytes.length): void {
    receive(session, bytes, start, end)
  }

  /** A sign of life that is no packet. */
  heard(session: Session): void {
    session.heardAt = this.#core.clock()
  }

  /** Goes where the URL says, as a first Join would (R6). */
  enter(session: Session, entry: Entry): void {
    if (entry.kind === 'lobby') return
    const { address, client } = entry
    const named = client === undefined ? {} : { client }
    enter(session, { frameId: 0, filter: address, listen: 'ifPermitted', ...named })
  }

  /** Tells everybody to reconnect, and gives what is written `drainMs` to get out (R55). */
  async drain(drainMs: number): Promise<void> {
    this.draining = true
    clearInterval(this.#sweeper)
    const all = [...this.#all]
    const gone = all.map((session) => session.wire.closed)
    for (const session of all) session.drop(Code.DRAINING, 'the gateway goes down')
    const late = AbortSignal.timeout(drainMs)
    const timeout = new Promise((resolve) => late.addEventListener('abort', resolve))
    await Promise.race([Promise.all(gone), timeout])
    for (const session of all) session.wire.terminate()
  }

  #sweep(): void {
    const now = this.#core.clock()
    for (const session of this.#all) this.#look(session, now)
  }

  #look(session: Session, now: number): void {
    const { limbo, heartbeatMs } = this.#core.options
    stepLocks(session, { type: 'tick', now })
    if (session.closed) return
    if (!session.unlocked && now - session.openedAt >= limbo.deadlineMs) {
      return session.drop(Code.LOCK_DEADLINE, 'nothing was unlocked in time')
    }
    if (session.tokens.some(({ expiresAt }) => expiresAt && expiresAt.getTime() <= now)) {
      return session.drop(Code.TOKEN_EXPIRED, 'the token is past its expiry')
    }
    if (session.outbox.stalled(now)) {
      return session.drop(Code.SLOW_CONSUMER, 'nothing was taken for too long')
    }
    const silence = now - session.heardAt
    if (silence >= 2 * heartbeatMs) return session.drop(Code.HEARTBEAT_TIMEOUT, 'no sign of life')
    if (silence >= heartbeatMs && session.pingedAt < session.heardAt) {
      session.pingedAt = now
      session.wire.ping()
    }
  }
}
