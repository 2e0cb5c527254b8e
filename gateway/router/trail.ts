/**
 * The path of one message (R49), noted by the functions that route it while they do: a Trail for
 * the message, a Leg for each of its destinations. It holds facts and hardly a word, nothing for
 * each member, and neither content nor keys nor anything that would keep a socket's memory alive.
 * Who wants trails says so as Trails; where nobody does, none are made.
 */
import { Step, Verdict } from '@porthouse/proto/admin/v1/trail'
import { Code } from '@porthouse/proto/v1/code'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import type { MessageId } from '../protocol/uuid7.ts'
import type { Destination, RefusedDestination } from './destination.ts'
import type { Remembered } from './idempotency.ts'
import type { Right } from './membership.ts'
import type { Place } from './place.ts'
import type { Barred } from './resolve.ts'
import type { Socket } from './socket.ts'

/** Who keeps trails, or tells them on. */
export interface Trails {
  /** Of a message that is about to be routed; undefined: nobody wants it. */
  begin(id: MessageId, origin: Socket, envelope: ScannedEnvelope): Trail | undefined
  /** It has to wait at one of its destinations: for a program, the store, or another message. */
  waits(trail: Trail): void
  /** It is known of each destination what became of it. */
  ended(trail: Trail): void
  /** A message gave way in the outbox of a socket. */
  lost(loss: Loss): void
  /** Microseconds that only rise. */
  readonly micros: () => number
}

/** What a socket that reads too slowly did not get (R46). */
export interface Loss {
  readonly id: MessageId
  readonly place: Place
  readonly sequence: number
  /** The socket's id. */
  readonly socket: string
  readonly decidedBy: string
}

/** What came before the router: rooms that were entered first (R15). */
export interface Ahead {
  /** Those that could not be entered. */
  readonly barred: Barred
  /** Names of all of them, as written. */
  readonly entered: readonly string[]
  readonly waitedMs: number
}

export const NOTHING_AHEAD: Ahead = { barred: new Map(), entered: [], waitedMs: 0 }

/**
 * A step at which it had to wait, in microseconds; `until` is 0 as long as it does, and where it is
 * only foreseen.
 */
export interface Stop {
  readonly step: Step
  readonly since: number
  until: number
}

const NO_LEGS: readonly Leg[] = []
const NO_STOPS: readonly Stop[] = []
const NO_LOSSES: readonly KeptLoss[] = []

export type KeptLoss = Pick<Loss, 'socket' | 'sequence' | 'decidedBy'> & { readonly at: number }

/** What is known of a message before it is routed. */
export interface Sent {
  readonly id: MessageId
  /** Id of the socket that sent it, and the accounts in which that had proved an identity. */
  readonly socket: string
  readonly accounts: ReadonlySet<string>
  readonly contentBytes: number
  /** It names its destinations itself. */
  readonly isAddressed: boolean
  readonly hasKey: boolean
  /** In microseconds. */
  readonly beganAt: number
}

export function sentBy(
  { id: socket, accounts }: Socket,
  { route, to, key, contentStart, contentEnd }: ScannedEnvelope,
  id: MessageId,
  beganAt: number,
): Sent {
  const isAddressed = route !== 0 || to.length > 0
  const contentBytes = contentEnd - contentStart
  return { id, socket, accounts, contentBytes, isAddressed, hasKey: key !== '', beganAt }
}

export class Trail implements Sent {
  readonly id: MessageId
  readonly socket: string
  readonly accounts: ReadonlySet<string>
  readonly contentBytes: number
  readonly isAddressed: boolean
  readonly hasKey: boolean
  readonly beganAt: number
  /** The same where it did not wait: a look at the clock costs as much as the rest of it. */
  endedAt: number
  legs: readonly Leg[] = NO_LEGS
  losses: readonly KeptLoss[] = NO_LOSSES
  furtherLosses = 0
  /** Where it is kept, and bytes that it counts for there beside its place; -1 and 0: it is not. */
  slot = -1
  weight = 0
  /** Value of the traceparent that its sender gave; `` where nobody looked, or there is none. */
  traceparent = ''
  tracestate = ''
  readonly #trails: Follower

  constructor(sent: Sent, trails: Follower) {
    this.id = sent.id
    this.socket = sent.socket
    this.accounts = sent.accounts
    this.contentBytes = sent.contentBytes
    this.isAddressed = sent.isAddressed
    this.hasKey = sent.hasKey
    this.beganAt = sent.beganAt
    this.endedAt = sent.beganAt
    this.#trails = trails
  }

  /** Of a destination, as it was resolved. */
  leg(asked: Destination, ahead: Ahead): Leg {
    return this.add(new Leg(this, wayTo(this, asked, ahead)))
  }

  add(leg: Leg): Leg {
    this.legs = this.legs === NO_LEGS ? [leg] : [...this.legs, leg]
    return leg
  }

  now(): number {
    return this.#trails.micros()
  }

  /** It has been seen to at each destination; `waits`: at some it has to wait. */
  routed(waits: boolean): void {
    if (waits) this.#trails.waits(this)
    else this.#trails.ended(this)
  }

  /** It no longer waits. */
  ends(): void {
    this.endedAt = this.now()
    this.#trails.ended(this)
  }
}

/** Who is told how a trail goes on. */
type Follower = Pick<Trails, 'waits' | 'ended' | 'micros'>

/** Where a message is meant to go, and by what right. */
export interface Way {
  readonly kind: Destination['kind']
  /** As its sender wrote it; `` where he wrote none. */
  readonly name: string
  /** `{account}/{room}` of the room that it goes to, or whose group; `` for others. */
  readonly place: string
  /** Of the room; of others the address that they are reached by. */
  readonly target: string
  /** The line of the config that sent it there, where its sender did not say. */
  readonly defaultedBy: string
  /** Whose right it is sent by, where one is needed; the token's id, or the client's address. */
  readonly right: Right | undefined
  readonly holder: string
  /** How long its sender waited to enter the room; -1: it was in. */
  readonly enteredMs: number
  /** The step that it is at, or ended at. */
  readonly step: Step
}

function wayTo(trail: Trail, asked: Destination, { barred, entered, waitedMs }: Ahead): Way {
  const { kind, name } = asked
  const isRefused = kind === 'refused'
  const isRoom = kind === 'room'
  const place = isRoom || kind === 'group' ? asked.membership.place : undefined
  const sender = isRoom || kind === 'group' ? asked.sender : undefined
  const isDefault = !trail.isAddressed && place?.config.defaultTarget !== undefined
  return {
    kind,
    name,
    place: place?.name ?? '',
    target: isRoom ? asked.channel : isRefused ? name : asked.key,
    defaultedBy: isDefault && place ? place.line('defaultTarget') : '',
    right: sender?.right,
    holder: sender?.holder ?? '',
    enteredMs: entered.length > 0 && isAmong(entered, name) ? waitedMs : -1,
    step: !isRefused ? Step.PERMIT : barred.has(name) ? Step.ENTER : Step.RESOLVE,
  }
}

export class Leg implements Way {
  readonly #trail: Trail
  readonly kind: Destination['kind']
  readonly name: string
  readonly place: string
  readonly target: string
  readonly defaultedBy: string
  readonly right: Right | undefined
  readonly holder: string
  readonly enteredMs: number
  step: Step
  verdict: Verdict = Verdict.WAITING
  code: Code = Code.UNSPECIFIED
  detail = ''
  decidedBy = ''
  /** When that was, in microseconds; 0: when the trail ended. */
  at = 0
  /** When it was found to fit, where that takes its time. */
  fittedAt = 0
  stops: readonly Stop[] = NO_STOPS
  sockets = 0
  sequence = 0
  epoch = 0
  stored = false
  /** What became of it after its sender was told that nobody knows. */
  late: Verdict = Verdict.UNSPECIFIED
  lateAt = 0

  constructor(trail: Trail, way: Way) {
    this.#trail = trail
    this.kind = way.kind
    this.name = way.name
    this.place = way.place
    this.target = way.target
    this.defaultedBy = way.defaultedBy
    this.right = way.right
    this.holder = way.holder
    this.enteredMs = way.enteredMs
    this.step = way.step
  }

  /** It passed a step that took a while. */
  fitted(): void {
    this.fittedAt = this.#trail.now()
  }

  waits(step: Step): void {
    this.step = step
    const stop = { step, since: this.#trail.now(), until: 0 }
    this.stops = this.stops === NO_STOPS ? [stop] : [...this.stops, stop]
  }

  /** It would have to wait there, and nobody knows what would come of it. */
  foresees(step: Step): void {
    this.stops = [...this.stops, { step, since: this.#trail.beganAt, until: 0 }]
  }

  /** What it waited for is over, and it goes on. */
  goesOn(): void {
    if (this.verdict !== Verdict.WAITING) return
    const last = this.stops.at(-1)
    if (last) last.until = this.#trail.now()
    this.step = Step.SEND
  }

  /** The same destination was named before. */
  repeated(): void {
    this.verdict = Verdict.REPEATED
  }

  sent({ sockets, sequence, epoch, stored, kept }: Remembered): void {
    this.step = Step.SEND
    this.#facts(sockets, sequence, epoch)
    this.stored = stored
    this.verdict = sockets > 0 ? Verdict.ROUTED : stored || kept ? Verdict.KEPT : Verdict.VOID
    this.#ends()
  }

  duplicate({ sockets, sequence, epoch, stored }: Remembered): void {
    this.step = Step.RECALL
    this.#facts(sockets, sequence, epoch)
    this.stored = stored
    this.verdict = Verdict.DUPLICATE
    this.#ends()
  }

  refused({ code, detail, decidedBy }: Pick<RefusedDestination, 'code' | 'detail' | 'decidedBy'>) {
    this.verdict = Verdict.REFUSED
    this.code = code
    this.detail = detail
    this.decidedBy = decidedBy
    this.#ends()
  }

  /** Its sender was told before that nobody knew yet. */
  settledLate(end: Remembered | RefusedDestination): void {
    this.late = 'kind' in end ? Verdict.REFUSED : end.stored ? Verdict.STORED : Verdict.ROUTED
    this.lateAt = this.#trail.now()
  }

  /** Why nobody hears it, for the case that nothing keeps it either. */
  unheard(detail: string, decidedBy: string): void {
    if (this.verdict !== Verdict.WAITING) return
    this.detail = detail
    this.decidedBy = decidedBy
  }

  #facts(sockets: number, sequence: number, epoch: number): void {
    this.sockets = sockets
    this.sequence = sequence
    this.epoch = epoch
  }

  #ends(): void {
    if (this.stops.length > 0) this.at = this.#trail.now()
  }
}

/** What named no destination entered for all that it goes to. */
function isAmong(entered: readonly string[], name: string): boolean {
  return name === '' || entered.includes(name)
}
