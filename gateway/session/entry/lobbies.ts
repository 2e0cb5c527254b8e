/** Who is in which account's lobby (R9), by the account's slug and by its UUID. */
import type { Named } from '../../locks/proof.ts'
import type { Session } from '../session.ts'

const NOBODY: ReadonlySet<Session> = new Set()

export class Lobbies {
  readonly #sessions = new Map<string, Set<Session>>()

  sessionsIn(account: string): ReadonlySet<Session> {
    return this.#sessions.get(account) ?? NOBODY
  }

  enter(session: Session, { slug, id }: Named): void {
    session.lobbies = new Set([...session.lobbies, slug, id])
    for (const name of [slug, id]) {
      const sessions = this.#sessions.get(name)
      if (sessions) sessions.add(session)
      else this.#sessions.set(name, new Set([session]))
    }
  }

  leave(session: Session, name: string): void {
    session.lobbies = new Set([...session.lobbies].filter((each) => each !== name))
    const sessions = this.#sessions.get(name)
    sessions?.delete(session)
    if (sessions?.size === 0) this.#sessions.delete(name)
  }

  leaveAll(session: Session): void {
    for (const name of session.lobbies) this.leave(session, name)
  }
}
