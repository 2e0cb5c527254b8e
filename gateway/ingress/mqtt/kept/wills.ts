/**
 * Wills: what a client wants said once it is gone without a word. Said in its name, with the rights
 * that it has at that moment (A5), by a session that has no connection.
 */
import { Code } from '@porthouse/proto/v1/code'
import { isExpired } from '../../../identity/expiry.ts'
import { clientAddress, type Proof } from '../../../locks/proof.ts'
import { Refusal } from '../../../protocol/codes.ts'
import { RateLimit } from '../../../protocol/rate-limit.ts'
import type { Room } from '../../../rooms/rooms.ts'
import { maySend } from '../../../router/membership.ts'
import type { Core } from '../../../session/core.ts'
import { rightsIn } from '../../../session/entry/membership.ts'
import { nameBytes } from '../../../session/identity/name-bytes.ts'
import { leftOf } from '../../../session/locks/locks.ts'
import { publish } from '../../../session/publishing.ts'
import { itself, type ProvedActor, type Session } from '../../../session/session.ts'
import { socketlessSession } from '../../../session/socketless.ts'
import type { MqttConnection } from '../connection.ts'
import { type ProofSource, provedAgain, type StoredProof, storedProof } from './stored-proof.ts'
import { type Will, willOf, willOfBytes } from './will.ts'

/** Of one principal: as many at once as a fleet that loses its network has, and few after (L8). */
const RATE = { perSecond: 8, burst: 1_000 }

export interface WillsParts extends Pick<ProofSource, 'findToken'> {
  readonly core: Core
  /** By whom a message is known to be of a session, see AwayRooms.keys. */
  readonly keys: WeakMap<object, string>
}

/** In whose name a will is said. */
export interface Testator {
  readonly key: string
  /** See principalOf. */
  readonly principal: string
  readonly proofs: readonly StoredProof[]
  /** `socket:…` that it had, where that is known. */
  readonly address?: string
}

export class Wills {
  readonly #parts: WillsParts
  readonly #rates = new Map<string, RateLimit>()
  /** Those of them who have been told of in the log. */
  readonly #fast = new Set<string>()
  readonly #underWay = new Set<Promise<void>>()

  constructor(parts: WillsParts) {
    this.#parts = parts
  }

  /**
   * The will of a CONNECT, if it may be said; in limbo there is none. Rejects with Refusal where
   * it may not, with which CONNECT is to be refused, or with StoreError.
   */
  async prepare({ session, agreed }: MqttConnection): Promise<Will | undefined> {
    const packet = agreed?.will
    if (!packet || !session) return undefined
    const { core } = this.#parts
    const will = willOf(packet, core.options.limits)
    if (!session.proofs.some(({ account }) => account)) return undefined
    const { account, room: name } = will.target
    const opened = core.rooms.open(account, name)
    const room = opened instanceof Promise ? await opened : opened
    if (room) core.rooms.release(room)
    if (room && mayPublish(session, room, will)) return will
    const detail = 'the will is for a room that the session may not send to'
    throw new Refusal(Code.SEND_NOT_PERMITTED, detail)
  }

  /** Says it, unless it may not be said any more. Resolves when it is said, or never will be. */
  send(will: Will, testator: Testator): Promise<void> {
    const sent = this.#send(will, testator).catch((error) => this.#failed(error, testator))
    this.#underWay.add(sent)
    return sent.finally(() => this.#underWay.delete(sent))
  }

  /** Whoever says too many must not fill the log as well (L10). */
  #failed(error: unknown, { key, principal }: Testator): void {
    const isFast = error instanceof Refusal && error.code === Code.RATE_LIMITED
    const level = isFast && this.#fast.has(principal) ? 'debug' : 'warn'
    if (isFast) this.#fast.add(principal)
    this.#parts.core.log[level]({ err: error, session: key }, 'a will was not said')
  }

  /** The same of one that was stored. */
  sendStored(body: Uint8Array, testator: Omit<Testator, 'proofs'>): Promise<void> {
    const { core } = this.#parts
    try {
      const { will, proofs } = willOfBytes(body, core.options.limits)
      return this.send(will, { ...testator, proofs })
    } catch (error) {
      core.log.warn({ err: error, session: testator.key }, 'a will cannot be read')
      return Promise.resolve()
    }
  }

  /** Resolves when all is said that was to be. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  /** Forgets how fast those were who have been quiet since. */
  sweep(): void {
    const now = this.#parts.core.uptime()
    for (const [principal, rate] of this.#rates) {
      if (!rate.idle(now)) continue
      this.#rates.delete(principal)
      this.#fast.delete(principal)
    }
  }

  async #send(will: Will, { key, principal, proofs: stored, address }: Testator): Promise<void> {
    const { core, findToken, keys } = this.#parts
    if (!this.#mayNow(principal)) {
      throw new Refusal(Code.RATE_LIMITED, `over ${RATE.perSecond} wills a second`)
    }
    const source = { findToken, renew: core.renew }
    const again = await Promise.all(stored.map((proof) => provedAgain(proof, source)))
    const now = core.clock()
    const proofs = again.filter((proof) => proof !== undefined && !isExpired(proof, now))
    if (proofs.length === 0) throw new Refusal(Code.REVOKED, 'what was proved no longer holds')
    const session = socketlessSession(core)
    keys.set(session, key)
    try {
      become(session, proofs as Proof[], address ?? session.address)
      await said(session, will)
    } finally {
      session.end()
    }
  }

  #mayNow(principal: string): boolean {
    const rate = this.#rates.get(principal) ?? new RateLimit(RATE)
    this.#rates.set(principal, rate)
    return rate.take(this.#parts.core.uptime())
  }
}

/** Rejects with Refusal, or StoreError. */
async function said(session: Session, will: Will): Promise<void> {
  const { rooms } = session.core
  const { target, envelope } = will
  const room = await rooms.open(target.account, target.room)
  if (room) rooms.release(room)
  if (!room || !mayPublish(session, room, will)) {
    throw new Refusal(Code.SEND_NOT_PERMITTED, 'no right to send there any more')
  }
  await new Promise<void>((resolve, reject) => {
    publish(
      session,
      envelope,
      () => envelope,
      (end) => {
        if (end instanceof Refusal) return reject(end)
        const settle = () => {
          const [refusal] = end.refusals
          if (refusal) reject(new Refusal(refusal.code, refusal.detail))
          else resolve()
        }
        if (end.settled) settle()
        else end.whenSettled(settle)
      },
    )
  })
}

/** Its locks are resolved, and it has the right. */
function mayPublish(session: Session, room: Room, { target: { channel = '' } }: Will): boolean {
  const { place, config } = room
  if (config.flow && leftOf(session, config.flow, place.address)) return false
  return rightsIn(session, room).senders.some((sender) => maySend(sender, channel))
}

/**
 * Says who it is, without taking any of the places that a token's or a client's sockets have, nor
 * the name by which its client is reached: it may be there again by now.
 */
function become(session: Session, proofs: readonly Proof[], address: string): void {
  const actors = proofs.flatMap((proof) => actorOf(proof, address) ?? [])
  session.proofs = proofs
  session.actors = actors.length > 0 ? actors : [itself(address)]
  session.accounts = new Set(proofs.flatMap(({ account }) => account?.slug ?? []))
  session.unlock()
}

function actorOf(proof: Proof, own: string): ProvedActor | undefined {
  const { account, client, token } = proof
  if (!account) return undefined
  const address = client ? clientAddress(account, client) : own
  const principal = client || !token ? address : `token:${token.id}`
  const terms = token?.method
    ? { token: token.id, method: token.method, rate: undefined }
    : undefined
  return { address, from: nameBytes(address), principal, terms, proof }
}

/** What is stored of whose will it is. */
export function proofsOf({ proofs }: Session): StoredProof[] {
  return proofs.map(storedProof)
}
