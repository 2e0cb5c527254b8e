/**
 * Somebody who sends without a socket (R6): a session that nobody sees, kept for a while, so that
 * what he posts has one order and rooms are not entered anew each time.
 */
import { isDeepStrictEqual } from 'node:util'
import { Code } from '@porthouse/proto/v1/code'
import { clientAddress } from '../../locks/proof.ts'
import type { RoomAddress } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { ScannedEnvelope } from '../../protocol/scan-envelope.ts'
import type { Membership } from '../../router/membership.ts'
import { Outcome } from '../../router/outcome.ts'
import type { Core } from '../core.ts'
import { enter } from '../entry/entry.ts'
import { theMemberIn } from '../entry/member-in.ts'
import { leaveRoom, settle } from '../entry/membership.ts'
import { nameBytes } from '../identity/name-bytes.ts'
import { type End, publish } from '../publishing.ts'
import { countReceipt } from '../receipt.ts'
import type { ProvedActor, Session } from '../session.ts'
import { socketlessSession } from '../socketless.ts'
import type { Author } from './author.ts'

export class Poster {
  readonly session: Session
  /** What waits while a room is being loaded, in order. */
  readonly #waiting: (() => void)[] = []
  /** Refuse what is under way, should the session end meanwhile. */
  readonly #refusing = new Set<(refusal: Refusal) => void>()

  constructor(core: Core, author: Author) {
    const resume = () => this.#goOn()
    const ended = ({ endCode }: Session) => {
      const refusal = new Refusal(endCode || Code.DRAINING, 'ended by the gateway')
      for (const refuse of this.#refusing) refuse(refusal)
    }
    this.session = socketlessSession(core, { resume, ended }, 'http')
    this.session.unlock()
    this.#become(author)
  }

  /** Has the rights that the author has now; whoever was read anew is settled anew (R51). */
  renew(author: Author): void {
    if (isDeepStrictEqual(this.session.proofs, [author.proof])) return
    this.#become(author)
    for (const member of [...this.session.memberships.values()]) {
      if (settle(this.session, member).change === 'lost') leaveRoom(this.session, member)
    }
  }

  /**
   * Sends an envelope, after those that were given before. Resolves with what became of it, at the
   * level that it asks for. Rejects with Refusal where it never got to the router.
   */
  post(envelope: ScannedEnvelope): Promise<Outcome> {
    return this.#next((resolve, reject) => {
      const end = (came: End) => {
        if (came instanceof Outcome && !came.due) return came.whenDue(() => end(came))
        countReceipt(this.session, came)
        if (came instanceof Refusal) reject(came)
        else resolve(came)
      }
      this.#leaveForNew(envelope.to.length)
      publish(this.session, envelope, () => envelope, end, false)
    })
  }

  /** Is in a room, without listening, as reading there asks for. Rejects with Refusal. */
  enters(target: RoomAddress): Promise<Membership> {
    return this.#next((resolve, reject) => {
      const done = (refusal: Refusal | undefined) => {
        if (refusal) reject(refusal)
        else resolve(theMemberIn(this.session, target))
      }
      this.#leaveForNew(1)
      enter(this.session, { frameId: 0, target, listen: 'never', meetsLocks: false, done })
    })
  }

  /** Runs in turn; rejects where the session ends before that has come to an end. */
  #next<T>(
    run: (resolve: (value: T) => void, reject: (refusal: unknown) => void) => void,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#refusing.add(reject)
    this.#waiting.push(() => {
      try {
        run(resolve, reject)
      } catch (error) {
        reject(error)
      }
    })
    this.#goOn()
    return promise.finally(() => this.#refusing.delete(reject))
  }

  #goOn(): void {
    while (!this.session.busy && !this.session.closed) {
      const run = this.#waiting.shift()
      if (!run) return
      run()
    }
  }

  /** A socket may be in so many rooms; here those go that were entered first. */
  #leaveForNew(count: number): void {
    const { memberships, core } = this.session
    for (const member of memberships.values()) {
      if (memberships.size + count <= core.options.limits.rooms) return
      leaveRoom(this.session, member)
    }
  }

  /**
   * Says who it is, without taking any of the places that a token's or a client's sockets have, nor
   * the name by which its client is reached.
   */
  #become({ key, proof }: Author): void {
    const { session } = this
    const { account } = proof
    session.proofs = [proof]
    session.actors = [this.#actorOf({ key, proof })]
    session.accounts = new Set(account ? [account.slug, account.id] : [])
    session.client = proof.client && account && clientAddress(account, proof.client)
  }

  /** Who speaks for an account itself is known by the account. */
  #actorOf({ key, proof }: Author): ProvedActor {
    const { account, client, token } = proof
    const own = token || !account ? this.session.address : `lobby:${account.slug}`
    const address = client && account ? clientAddress(account, client) : own
    const rate = token && this.session.core.shares.rateOf(token)
    const terms =
      token && (token.method || rate) ? { token: token.id, method: token.method, rate } : undefined
    const principal = client ? address : key
    return { address, from: nameBytes(address), principal, terms, proof }
  }
}
