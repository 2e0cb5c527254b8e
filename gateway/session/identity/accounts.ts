/** The sessions that are somebody in an account, by its UUID (R8). */
import type { Proof } from '../../locks/proof.ts'
import { SetMap } from '../../router/set-map.ts'
import type { Session } from '../session.ts'

export class Accounts {
  readonly #sessions = new SetMap<string, Session>()

  sessionsOf(account: string): ReadonlySet<Session> {
    return this.#sessions.of(account)
  }

  /** The session's proofs were `before`, and are `after` now. */
  change(session: Session, before: readonly Proof[], after: readonly Proof[]): void {
    const left = idsOf(after)
    for (const id of idsOf(before)) if (!left.has(id)) this.#sessions.delete(id, session)
    for (const id of left) this.#sessions.add(id, session)
  }
}

function idsOf(proofs: readonly Proof[]): Set<string> {
  return new Set(proofs.flatMap(({ account }) => (account ? [account.id] : [])))
}
