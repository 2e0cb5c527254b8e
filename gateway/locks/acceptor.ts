/** The plugin that runs a lock: told what the socket answered, it says what that proves (R18). */
import type { TokenRecord } from '../store/store.ts'
import type { Response, Verification } from './stack.ts'

/** What a socket has proved so far. */
export interface Proofs {
  readonly tokens: readonly TokenRecord[]
}

/** What is learnt from a passed verification, beside the values that the client is told. */
export interface Proved {
  readonly verification: Verification
  readonly token?: TokenRecord
}

export interface Acceptor {
  /** As in Challenge.acceptor and in a room's Access block. */
  readonly name: string
  /**
   * True where the socket has already proved what this lock would ask, so that it is skipped (R12).
   */
  finished(proofs: Proofs, account: string): boolean
  /**
   * `account` is that of the guarded place, a slug or a UUID; undefined in the main lobby. May
   * reject; that counts as no proof, and the client is told UNAVAILABLE (A18).
   */
  verify(response: Response, account: string | undefined): Promise<Proved>
}
