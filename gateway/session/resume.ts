/**
 * Resume tokens: the next connection of a client skips the locks that this one has resolved (R12).
 * In memory, bounded in time and number: after a restart everybody proves himself again.
 */
import { createHash } from 'node:crypto'
import { Code } from '@porthouse/proto/v1/code'
import type { Proof } from '../locks/proof.ts'
import { adopt } from './identity.ts'
import type { Session } from './session.ts'

/** Optional behaviour that a client asks for in Hello. */
export const RESUME_CAPABILITY = 'resume'

const SECRET_BYTES = 32

/** Longer than any secret; anything longer is not even hashed. */
const SECRET_CHARS_MAX = 64

export interface ResumeOptions {
  /** How long a token is good after its connection, in milliseconds. */
  readonly windowMs: number
  /** Tokens of connections that have ended; beyond it the oldest are forgotten. */
  readonly tokens: number
}

interface Ended {
  readonly proofs: readonly Proof[]
  readonly expiresAt: number
}

export class Resumes {
  readonly options: ResumeOptions
  readonly #random: (bytes: number) => Uint8Array
  readonly #uptime: () => number
  /** By the hash of the secret. */
  readonly #live = new Map<string, Session>()
  /** The same, in the order of their ends. */
  readonly #ended = new Map<string, Ended>()
  readonly #hashes = new Map<Session, string>()

  constructor(options: ResumeOptions, random: (bytes: number) => Uint8Array, uptime: () => number) {
    this.options = options
    this.#random = random
    this.#uptime = uptime
  }

  /** Offers a socket that has proved something its token, once. */
  offer(session: Session): void {
    const wanted = session.capabilities.has(RESUME_CAPABILITY) && session.proofs.length > 0
    if (!wanted || session.closed || this.#hashes.has(session)) return
    const token = Buffer.from(this.#random(SECRET_BYTES)).toString('base64url')
    const hash = hashOf(token)
    this.#hashes.set(session, hash)
    this.#live.set(hash, session)
    const { windowMs: expiresMs } = this.options
    session.send(0, { case: 'resume', value: { token, expiresMs } })
  }

  /**
   * Makes a new socket whom the token's was, as far as that still holds; resolves with whether it
   * is anybody now. A half-dead socket that still has the token is replaced.
   */
  async take(session: Session, token: string): Promise<boolean> {
    const hash = token.length <= SECRET_CHARS_MAX ? hashOf(token) : ''
    const proved = this.#live.get(hash)?.proofs ?? this.#endedProofs(hash)
    const proofs = await Promise.all(proved.map((proof) => session.core.renew(proof)))
    const now = session.core.clock()
    const good = proofs.filter((proof) => proof && !(proof.expiresAt && +proof.expiresAt <= now))
    if (good.length === 0 || session.closed) return false
    this.#live.get(hash)?.drop(Code.REPLACED, 'its client has resumed on another socket')
    for (const proof of good as Proof[]) adopt(session, proof)
    session.resumedFrom = hash
    return session.proofs.length > 0
  }

  /** The client goes on where it resumed: what it resumed by is spent. */
  confirm(session: Session): void {
    if (session.resumedFrom !== undefined) this.#ended.delete(session.resumedFrom)
    session.resumedFrom = undefined
  }

  /** Called while the session still holds its proofs. */
  end(session: Session): void {
    const hash = this.#hashes.get(session)
    if (hash === undefined) return
    this.#hashes.delete(session)
    this.#live.delete(hash)
    const { windowMs, tokens } = this.options
    this.#ended.set(hash, { proofs: session.proofs, expiresAt: this.#uptime() + windowMs })
    for (const [old, { expiresAt }] of this.#ended) {
      if (expiresAt > this.#uptime() && this.#ended.size <= tokens) break
      this.#ended.delete(old)
    }
  }

  #endedProofs(hash: string): readonly Proof[] {
    const ended = this.#ended.get(hash)
    return ended && ended.expiresAt > this.#uptime() ? ended.proofs : []
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}
