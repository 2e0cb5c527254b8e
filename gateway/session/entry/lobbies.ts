/** Who is in which account's lobby (R9), by the account's slug and by its UUID. */
import type { Named } from '../../locks/proof.ts'
import { SetMap } from '../../router/set-map.ts'
import type { Session } from '../session.ts'

export class Lobbies {
  readonly #sessions = new SetMap<string, Session>()

  sessionsIn(account: string): ReadonlySet<Session> {
    return this.#sessions.of(account)
  }

  enter(session: Session, { slug, id }: Named): void {
    session.lobbies = new Set([...session.lobbies, slug, id])
    for (const name of [slug, id]) this.#sessions.add(name, session)
  }

  leave(session: Session, name: string): void {
    session.lobbies = new Set([...session.lobbies].filter((each) => each !== name))
    this.#sessions.delete(name, session)
  }

  leaveAll(session: Session): void {
    for (const name of session.lobbies) this.leave(session, name)
  }
}
