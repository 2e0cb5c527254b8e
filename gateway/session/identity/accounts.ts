/** The sessions that are somebody in an account, by its UUID (R8). */
import type { Proof } from '../../locks/proof.ts'
import type { Session } from '../session.ts'

const NOBODY: ReadonlySet<Session> = new Set()

export class Accounts {
  readonly #sessions = new Map<string, Set<Session>>()

  sessionsOf(account: string): ReadonlySet<Session> {
    return this.#sessions.get(account) ?? NOBODY
  }

  /** The session's proofs were `before`, and are `after` now. */
  change(session: Session, before: readonly Proof[], after: readonly Proof[]): void {
    const left = idsOf(after)
    for (const id of idsOf(before)) if (!left.has(id)) this.#remove(session, id)
    for (const id of left) {
      const sessions = this.#sessions.get(id) ?? new Set()
      this.#sessions.set(id, sessions.add(session))
    }
  }

  #remove(session: Session, id: string): void {
    const sessions = this.#sessions.get(id)
    sessions?.delete(session)
    if (sessions?.size === 0) this.#sessions.delete(id)
  }
}

function idsOf(proofs: readonly Proof[]): Set<string> {
  return new Set(proofs.flatMap(({ account }) => (account ? [account.id] : [])))
}
