/**
 * Resume tokens: the next connection of a client skips the locks that this one has resolved (R12).
 * In memory, bounded in time and number: after a restart everybody proves himself again.
 */
import { Code } from '@porthouse/proto/v1/code'
import { isExpired } from '../../identity/expiry.ts'
import { sha256 } from '../../identity/sha256.ts'
import type { Proof } from '../../locks/proof.ts'
import { codeInfo } from '../../protocol/codes.ts'
import type { Grace } from '../../rooms/session-history.ts'
import type { Session } from '../session.ts'
import { adopt } from './identity.ts'

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
  /** By the hash of what they came by: those who have not gone on after Welcome yet. */
  readonly #arrived = new Map<string, Session>()

  constructor(options: ResumeOptions, random: (bytes: number) => Uint8Array, uptime: () => number) {
    this.options = options
    this.#random = random
    this.#uptime = uptime
  }

  /** Tokens of connections that have ended. */
  get size(): number {
    return this.#ended.size
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
   * is anybody now. A half-dead socket that still has the token, or came by it, is replaced: of one
   * token there is one socket.
   */
  async take(session: Session, token: string): Promise<boolean> {
    const hash = token.length <= SECRET_CHARS_MAX ? hashOf(token) : ''
    const proved = this.#proofsBehind(hash) ?? []
    const proofs = await Promise.all(proved.map((proof) => session.core.renew(proof)))
    const now = session.core.clock()
    const good = proofs.filter((proof) => proof && !isExpired(proof, now))
    // Meanwhile it may have been spent.
    if (good.length === 0 || session.closed || !this.#proofsBehind(hash)) return false
    for (const older of [this.#live.get(hash), this.#arrived.get(hash)]) {
      older?.drop(Code.REPLACED, 'its client has resumed on another socket')
    }
    const taken = (good as Proof[]).filter((proof) => !adopt(session, proof))
    if (taken.length === 0) return false
    session.resumedFrom = hash
    session.cameBy = hash
    this.#arrived.set(hash, session)
    return true
  }

  /** The client goes on where it resumed: what it resumed by is spent. */
  confirm(session: Session): void {
    const hash = this.#leave(session)
    if (hash !== undefined) this.#ended.delete(hash)
  }

  /**
   * How long what a session has sent is kept for the one that may resume it (R24); undefined where
   * none may: its client has left, or it was ended for good.
   */
  grace(session: Session): Grace | undefined {
    const { endCode, closed, leaves } = session
    const { resumedFrom } = session
    const own = this.#hashes.get(session)
    // As long as what it came by is not spent, its client may come by that again.
    const keys = [own, resumedFrom].filter((key) => key !== undefined)
    const isCut = closed ? !leaves : endCode !== Code.UNSPECIFIED
    const ended = endCode !== Code.UNSPECIFIED && !codeInfo(endCode).temporary
    if (keys.length === 0 || !isCut || (ended && endCode !== Code.REPLACED)) return undefined
    return { keys, ms: this.options.windowMs }
  }

  /** Called while the session still holds its proofs. */
  end(session: Session): void {
    const { endCode } = session
    const cameBy = this.#leave(session)
    const hash = this.#hashes.get(session)
    this.#hashes.delete(session)
    if (hash !== undefined) this.#live.delete(hash)
    // Who was thrown out is to prove himself anew, to people too where these had let him in.
    if (endCode === Code.KICKED && cameBy !== undefined) this.#ended.delete(cameBy)
    // And of two who came by one token, the first leaves nothing that would make them two again.
    const replaced = endCode === Code.REPLACED && cameBy !== undefined
    if (hash === undefined || replaced || endCode === Code.KICKED) return
    const { windowMs, tokens } = this.options
    this.#ended.set(hash, { proofs: session.proofs, expiresAt: this.#uptime() + windowMs })
    for (const [old, { expiresAt }] of this.#ended) {
      if (expiresAt > this.#uptime() && this.#ended.size <= tokens) break
      this.#ended.delete(old)
    }
  }

  /** What a socket came by; from now on it is that no more. */
  #leave(session: Session): string | undefined {
    const { resumedFrom: hash } = session
    session.resumedFrom = undefined
    if (hash !== undefined && this.#arrived.get(hash) === session) this.#arrived.delete(hash)
    return hash
  }

  /** Undefined where the token is not good, or not any more. */
  #proofsBehind(hash: string): readonly Proof[] | undefined {
    const live = this.#live.get(hash)
    if (live) return live.proofs
    const ended = this.#ended.get(hash)
    return ended && ended.expiresAt > this.#uptime() ? ended.proofs : undefined
  }
}

function hashOf(token: string): string {
  return sha256(token).toString('base64')
}
