/**
 * Those who knock, until somebody inside who may has decided (R18): the desk between the acceptor
 * `knock` and the command Admit. Neither who floods it reaches anybody more than once in a while,
 * nor does it grow beyond its bounds.
 */
import { Code } from '@porthouse/proto/v1/code'
import { EventKind } from '@porthouse/proto/v1/event'
import { networkOf } from '../../identity/offences.ts'
import type { Knock, KnockDesk } from '../../locks/knock-desk.ts'
import { accountIn } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Graph } from '../../router/graph.ts'
import { SetMap } from '../../router/set-map.ts'
import type { Turn } from '../../router/turn.ts'
import { owns } from '../identity/identity.ts'
import { knownAs } from '../identity/known-as.ts'
import type { Session } from '../session.ts'
import { EVENTS_CAPABILITY, type Technical } from '../technical/technical.ts'
import { Attempts } from './knock-attempts.ts'

/** Knocks that may wait at one place, and in all. */
const AT_PLACE_MAX = 64
const PENDING_MAX = 4096

/** Of those who may decide, as many are told as soon as somebody knocks. */
const TOLD_MAX = 256

interface Pending {
  readonly lock: string
  readonly place: string
  readonly account: string
  readonly text: string
  readonly knocker: Session
  readonly told: WeakSet<Session>
  readonly decided: (code: Code) => void
}

export interface KnocksParts {
  readonly graph: Graph
  readonly technical: Technical
  readonly turn: Turn
  /** Milliseconds that only rise. */
  readonly uptime: () => number
}

export class Knocks implements KnockDesk {
  readonly #parts: KnocksParts
  readonly #attempts: Attempts
  /** By the lock's id. */
  readonly #pending = new Map<string, Pending>()
  /** The same by account, as the place's address has it. */
  readonly #byAccount = new SetMap<string, Pending>()
  /** Those who may decide now, to be told at the end of the turn. */
  readonly #arrived = new Set<Session>()

  constructor(parts: KnocksParts) {
    this.#parts = parts
    this.#attempts = new Attempts(parts.uptime)
  }

  /** Knocks that wait. */
  get size(): number {
    return this.#pending.size
  }

  async knock({ lock, place, remote, text, signal }: Knock): Promise<Code> {
    const knocker = this.#parts.graph.waitingAt(lock)?.socket as Session | undefined
    if (!knocker || signal.aborted) return Code.NOT_ADMITTED
    const account = accountIn(place)
    const atPlace = [...this.#byAccount.of(account)].filter((each) => each.place === place).length
    if (atPlace >= AT_PLACE_MAX || this.#pending.size >= PENDING_MAX) return Code.QUEUE_FULL
    const attempt = this.#attempts.begin(knocker, place, networkOf(remote))
    if (typeof attempt === 'number') return attempt
    const { promise, resolve: decided } = Promise.withResolvers<Code>()
    const pending = { lock, place, account, text, knocker, told: new WeakSet<Session>(), decided }
    this.#add(pending)
    this.#parts.technical.knocked(knocker, eventOf(pending))
    signal.addEventListener('abort', () => this.#settle(pending, Code.LOCK_DEADLINE), {
      once: true,
    })
    this.#tellThoseInside(pending)
    const code = await promise
    attempt.end(code)
    return code
  }

  /**
   * Throws Refusal: TARGET_UNKNOWN where nobody waits at that lock any more, or for nobody whom the
   * approver may know of; COMMAND_NOT_PERMITTED where he may not decide.
   */
  decide(approver: Session, lock: string, admitted: boolean): void {
    const pending = this.#pending.get(lock)
    if (!pending || !this.#knows(approver, pending)) {
      throw new Refusal(Code.TARGET_UNKNOWN, 'nobody knocks at this lock')
    }
    if (!this.#mayDecide(approver, pending)) {
      throw new Refusal(Code.COMMAND_NOT_PERMITTED, 'no right to let anybody in there')
    }
    this.#settle(pending, admitted ? Code.UNSPECIFIED : Code.NOT_ADMITTED)
  }

  /** Somebody may decide who could not before, or hears now what he did not. */
  arrived(approver: Session): void {
    if (this.#pending.size === 0) return
    this.#arrived.add(approver)
    // After what it is told of the place that it has come to.
    this.#parts.turn.touch({ flush: () => this.#tellArrived() })
  }

  #tellArrived(): void {
    for (const approver of this.#arrived) {
      const rooms = [...approver.memberships.values()].map(({ place }) => place.address)
      for (const account of new Set([...rooms.map(accountIn), ...approver.accounts])) {
        for (const pending of this.#byAccount.of(account)) this.#tell(approver, pending)
      }
    }
    this.#arrived.clear()
  }

  #tellThoseInside(pending: Pending): void {
    const { graph, technical } = this.#parts
    const inside = graph.waitingAt(pending.lock)?.approvers() ?? []
    const owners = technical.watches.of(`account:${pending.account}`)
    let told = 0
    for (const approver of new Set([...(inside as Session[]), ...owners])) {
      if (this.#tell(approver, pending) && ++told === TOLD_MAX) return
    }
  }

  /** False where he does not listen, may not decide, or was told before. */
  #tell(approver: Session, pending: Pending): boolean {
    const { technical } = this.#parts
    const { account, knocker, told } = pending
    const hears =
      approver.capabilities.has(EVENTS_CAPABILITY) ||
      technical.watches.has(approver, 'rooms') ||
      technical.watches.has(approver, `account:${account}`)
    if (!hears || told.has(approver) || !this.#mayDecide(approver, pending)) return false
    told.add(approver)
    technical.tell(approver, knocker, eventOf(pending), knownAs(knocker, account))
    return true
  }

  /** Those who may let in at that place, and the account's owner wherever he is. */
  #mayDecide(approver: Session, { place, account }: Pending): boolean {
    return owns(approver, account) || this.#memberAt(approver, place)?.mayAdmit === true
  }

  #knows(asker: Session, { place, account }: Pending): boolean {
    return asker.accounts.has(account) || this.#memberAt(asker, place) !== undefined
  }

  #memberAt({ memberships }: Session, place: string) {
    const room = this.#parts.graph.placeAt(place)
    return room && memberships.get(room.route)
  }

  #add(pending: Pending): void {
    const { lock, account } = pending
    this.#byAccount.add(account, pending)
    this.#pending.set(lock, pending)
  }

  /** What comes first counts, and nobody finds it here any more, whatever is still to be done. */
  #settle(pending: Pending, code: Code): void {
    const { lock, account, decided } = pending
    if (!this.#pending.delete(lock)) return
    decided(code)
    this.#byAccount.delete(account, pending)
  }
}

function eventOf({ lock, place, text: detail }: Pending) {
  return { kind: EventKind.KNOCKED, place, lock, acceptor: 'knock', detail }
}
