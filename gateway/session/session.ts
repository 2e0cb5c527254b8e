/**
 * One socket from open to close: who it is, what it may do, where it is. A record; what it does
 * stands in receive.ts and handlers/, and in the folders beside them.
 */
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { type Frame, FrameSchema } from '@porthouse/proto/v1/frame'
import type { Handshake } from '../locks/acceptor.ts'
import { EMPTY_STACK, type LockStack } from '../locks/lock.ts'
import type { Proof } from '../locks/proof.ts'
import type { Tally } from '../observe/counts.ts'
import { Refusal } from '../protocol/codes.ts'
import { DETAIL_BYTES_MAX } from '../protocol/limits.ts'
import type { EnvelopeBody, Stamp } from '../protocol/packet-writer.ts'
import type { RateLimit } from '../protocol/rate-limit.ts'
import type { Batch } from '../router/batch.ts'
import type { Lane } from '../router/lane.ts'
import type { Membership } from '../router/membership.ts'
import type { Actor, Socket, Target } from '../router/socket.ts'
import type { Structure } from '../router/structure.ts'
import type { Core } from './core.ts'
import { leaveAll } from './entry/membership.ts'
import type { Parked } from './entry/parked.ts'
import type { WaitingEntry } from './entry/waiting.ts'
import type { CatchUp } from './history/catch-up.ts'
import { nameBytes } from './identity/name-bytes.ts'
import { Outbox, type OutboxHost } from './outbox/outbox.ts'
import type { QueuedMessage } from './outbox/slow-queue.ts'
import type { Wire } from './wire.ts'

export type Body = NonNullable<Exclude<MessageInitShape<typeof FrameSchema>, Frame>['body']>

export interface SessionHooks {
  /** Goes on with what was held, once nothing is under way. */
  readonly resume: (session: Session) => void
  /** The locks of a place are resolved. */
  readonly unlocked: (session: Session, place: string) => void
  /** Lets go of what it holds beside its rooms. */
  readonly ending: (session: Session) => void
  readonly ended: (session: Session) => void
}

/** What a transport's sessions have of their own. */
export interface SessionKind {
  readonly topics?: Topics
  /**
   * No connection is behind it: nobody sees it among the sockets, and nothing reaches it. It takes
   * no place that a room, a client or a token has for sockets.
   */
  readonly unseen?: true
  readonly outbox: (host: OutboxHost) => Outbox
}

/** Of one that hears what it has subscribed to, and nothing because it is in a room (MQTT). */
export interface Topics {
  /** Whether what it sends to a channel of a room comes back to it. */
  hearItself(place: string, channel: string): boolean
  /** Filters of a room by which it hears, as far as it may. */
  wantedIn(place: string): Iterable<string>
  /** It is to hear a filter, or no longer, whatever it has subscribed to. */
  give(member: Membership, filter: string): void
  takeBack(member: Membership, filter: string): void
}

export interface SessionParts {
  readonly wire: Wire
  readonly lane: Lane
  readonly handshake: Handshake
  /** Absent: as WebSockets are. */
  readonly kind?: SessionKind
}

const PLAIN: SessionKind = { outbox: (host) => new Outbox(host) }

export const NO_NAMES: ReadonlyMap<string, string> = new Map()
const NONE: ReadonlySet<string> = new Set()
const NOTHING: readonly never[] = []

/** Somebody the socket may send as, and what made it so. */
export interface ProvedActor extends Actor {
  readonly proof?: Proof
}

/** Who a socket is that has proved to be nobody else. */
export function itself(address: string): Actor {
  return { address, from: nameBytes(address), principal: address, terms: undefined }
}

export class Session implements Socket, OutboxHost {
  // What every message touches comes first, to lie together in memory.
  readonly core: Core
  /** Undefined: it hears what it joins. */
  readonly topics: Topics | undefined
  readonly outbox: Outbox
  closed = false
  #unlocked = false
  greeted = false
  /** Effects whose results later frames must wait for. */
  #effects = 0
  /** Last sign of life; in milliseconds of core.uptime, as the other times. */
  heardAt: number
  /** Hash of the resume token that it came by, until it is spent. */
  resumedFrom: string | undefined = undefined
  /** The same, for good. */
  cameBy: string | undefined = undefined
  /** Its client has said that it leaves. */
  leaves = false
  /** Envelopes that wait for a lock (R15). */
  parked: readonly Parked[] = NOTHING
  /** By route. */
  readonly memberships = new Map<number, Membership>()
  target: Target | undefined = undefined

  readonly mark = Symbol('session')
  readonly id: string
  readonly unseen: boolean
  readonly lane: Lane
  readonly tally: Tally
  readonly wire: Wire
  readonly openedAt: number
  pingedAt = 0

  // Who it is.
  proofs: readonly Proof[] = NOTHING
  actors: readonly ProvedActor[]
  client: string | undefined = undefined
  names: ReadonlyMap<string, string> = NO_NAMES
  /** By a client's address, the position in its own channel after which what comes is live. */
  ownFrom: Map<string, { readonly epoch: number; readonly sequence: number }> | undefined =
    undefined
  accounts: ReadonlySet<string> = NONE
  /** Slugs of accounts whose lobby it is in. */
  lobbies: ReadonlySet<string> = NONE
  readonly handshake: Handshake
  /** Optional behaviour that both sides have (PH-4.2). */
  capabilities: ReadonlySet<string> = NONE
  /** UUID of the client that the URL names (R4). */
  urlClient: string | undefined = undefined
  /**
   * Ends the older session, if any, that this one takes the place of, where a proof has no room for
   * both.
   */
  makeRoom: ((proof: Proof) => void) | undefined = undefined

  /** Why the gateway ends the connection; UNSPECIFIED where it does not. */
  endCode: Code = Code.UNSPECIFIED

  // What is under way.
  stack: LockStack = EMPTY_STACK
  /** What it may ask that has a long answer. */
  lists: RateLimit | undefined = undefined
  /** Locked places that it may go for, rooms not loaded yet, and what it may say at locks. */
  doors: RateLimit | undefined = undefined
  loads: RateLimit | undefined = undefined
  calls: RateLimit | undefined = undefined
  fetches: RateLimit | undefined = undefined
  /** Questions about a room's past, the first of them under way. */
  readonly fetching: (() => void)[] = []
  /** Cursors that the store has not answered for. */
  cursors = 0
  /** Subscriptions that begin when what was missed is read, one after the other. */
  catchingUp: readonly CatchUp[] = NOTHING
  /** Entries that wait for a lock. */
  waiting: readonly WaitingEntry[] = NOTHING
  /** Ends what acceptors do for a lock, by its id. */
  lockAborts: Map<string, AbortController> | undefined = undefined
  /** What came while an effect was under way, in order. */
  readonly held: Buffer[] = []
  heldBytes = 0
  heldSince = 0

  // What it has spent in limbo.
  limboBytes = 0
  limboFrames = 0

  readonly #hooks: SessionHooks
  #dropping = false

  constructor(
    core: Core,
    { wire, lane, handshake, kind = PLAIN }: SessionParts,
    hooks: SessionHooks,
  ) {
    this.core = core
    this.topics = kind.topics
    this.unseen = kind.unseen ?? false
    this.#hooks = hooks
    this.wire = wire
    this.lane = lane
    this.tally = core.counts.media[lane.medium]
    if (!this.unseen) {
      this.tally.opened++
      this.tally.sockets++
    }
    this.handshake = handshake
    this.id = core.newId()
    this.actors = [itself(this.address)]
    this.openedAt = core.uptime()
    this.heardAt = this.openedAt
    this.outbox = kind.outbox(this)
    if (!this.unseen) core.router.graph.addSocket(this)
  }

  get address(): string {
    return `socket:${this.id}`
  }

  /** Has proved an identity or entered a room; until then it is in limbo (R14). */
  get unlocked(): boolean {
    return this.#unlocked
  }

  unlock(): void {
    if (this.#unlocked || this.closed) return
    this.#unlocked = true
    if (!this.unseen) this.tally.unlocked++
  }

  deliver(batch: Batch, from: number, to: number): void {
    this.outbox.deliver(batch, from, to)
  }

  direct(body: EnvelopeBody, stamp: Stamp, structure?: Structure): void {
    this.tally.messagesOut++
    this.outbox.envelope(body, stamp, undefined, structure)
  }

  /** What it is, or may do, is not what it was. */
  changed(): void {
    this.core.technical.changed(this)
  }

  /** Sends a frame to this socket alone. */
  send(id: number, body: Body): void {
    if (!this.closed) this.outbox.frame(create(FrameSchema, { id, body }))
  }

  /** Waits for an effect, while later frames are held back in their order. */
  wait(effect: Promise<void>): void {
    this.#effects++
    this.outbox.hold()
    effect
      .catch((error) => this.fail(error))
      .finally(() => {
        this.#effects--
        if (this.busy || this.closed) return
        this.#hooks.resume(this)
        if (!this.busy) this.outbox.release()
      })
  }

  /** Frames have to wait. */
  get busy(): boolean {
    return this.#effects > 0
  }

  /** The locks of a place are resolved: those who wait for it go in. */
  unlockedAt(place: string): void {
    this.#hooks.unlocked(this, place)
  }

  /** Ends the connection with what was thrown: a refusal's code, or a bland one. */
  fail(error: unknown): void {
    if (error instanceof Refusal) return this.drop(error.code, error.detail)
    this.core.log.error({ socket: this.id, err: error }, 'a frame could not be handled')
    this.drop(Code.INTERNAL, 'internal error')
  }

  /** Refuses one request; a push, which nothing can answer, is refused with the connection. */
  refuse(id: number, code: Code, detail: string): void {
    if (id === 0) return this.drop(code, detail)
    this.core.counts.refusals.request.add(code)
    this.send(id, { case: 'drop', value: { code, detail: cut(detail) } })
  }

  /** Tells why, unless it is the client that leaves (UNSPECIFIED), and ends the connection. */
  drop(code: Code, detail: string): void {
    if (this.closed) return
    this.endCode = code
    if (code !== Code.UNSPECIFIED) this.core.counts.refusals.connection.add(code)
    const value = { code, detail: cut(detail) }
    const body = { case: 'drop', value } as const
    const last = code === Code.UNSPECIFIED ? undefined : create(FrameSchema, { body })
    this.wire.leaving?.()
    // What this turn has for it comes before the last frame: its senders were told so.
    leaveAll(this)
    this.outbox.close(last, code === Code.SLOW_CONSUMER)
    this.end()
    this.wire.close(code, detail)
  }

  /** The connection is gone: nothing of it stays. */
  end(): void {
    if (this.closed) return
    this.wire.leaving?.()
    this.closed = true
    if (!this.unseen) {
      this.tally.sockets--
      if (this.#unlocked) this.tally.unlocked--
    }
    this.held.length = 0
    this.waiting = NOTHING
    leaveAll(this)
    this.#hooks.ending(this)
    this.core.router.graph.removeSocket(this)
    this.#hooks.ended(this)
  }

  // What its outbox asks and tells it.

  get isInOne(): boolean {
    return this.memberships.size === 1
  }

  /** Not in the midst of a delivery, which goes over the very lists that a drop would change. */
  overflow(): void {
    if (this.#dropping) return
    this.#dropping = true
    const flush = () => this.drop(Code.SLOW_CONSUMER, 'more waits than the outbox may hold')
    this.core.turn.touch({ flush })
  }

  slowed(): void {
    this.core.turn.touch({ flush: () => this.core.technical.slow(this) })
  }

  noteLost(message: QueuedMessage, decidedBy: string): void {
    this.core.trails?.lost({ ...message, socket: this.id, decidedBy })
  }
}

/** A detail that fits its field; only ASCII is cut by length, and details of ours are ASCII. */
function cut(detail: string): string {
  return Buffer.byteLength(detail) <= DETAIL_BYTES_MAX
    ? detail
    : detail.slice(0, DETAIL_BYTES_MAX / 4)
}
