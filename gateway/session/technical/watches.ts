/** Who watches what of the technical channel (R10). */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import { SetMap } from '../../router/set-map.ts'
import { owns } from '../identity/identity.ts'
import type { Session } from '../session.ts'

/**
 * The rooms that the watcher is in; all of an account, by its slug and by its UUID, for addresses
 * have either; the sockets of a client, by its UUID.
 */
export type Scope = 'rooms' | `account:${string}` | `client:${string}`

/** Scopes that one socket may watch. */
const SCOPES_MAX = 64

/** Sockets that may watch one account or client: all of them are told all that happens there. */
const WATCHERS_MAX = 256

export class Watches {
  readonly #watchers = new SetMap<Scope, Session>()
  readonly #scopes = new Map<Session, Set<Scope>>()

  /** Nobody watches anything. */
  get empty(): boolean {
    return this.#scopes.size === 0
  }

  /** All of them, or none. Throws Refusal QUEUE_FULL. */
  add(session: Session, scopes: readonly Scope[]): void {
    const own = this.#scopes.get(session) ?? new Set()
    const added = scopes.filter((scope) => !own.has(scope))
    if (own.size + added.length > SCOPES_MAX) {
      throw new Refusal(Code.QUEUE_FULL, `over ${SCOPES_MAX} things that the socket watches`)
    }
    if (added.some((scope) => scope !== 'rooms' && this.#watchers.of(scope).size >= WATCHERS_MAX)) {
      throw new Refusal(Code.QUEUE_FULL, `${WATCHERS_MAX} sockets watch that already`)
    }
    this.#scopes.set(session, own)
    for (const scope of added) {
      own.add(scope)
      this.#watchers.add(scope, session)
    }
  }

  remove(session: Session, scopes: Iterable<Scope>): void {
    const own = this.#scopes.get(session)
    for (const scope of scopes) {
      own?.delete(scope)
      this.#watchers.delete(scope, session)
    }
    if (own?.size === 0) this.#scopes.delete(session)
  }

  removeAll(session: Session): void {
    this.remove(session, this.#scopes.get(session) ?? [])
  }

  has(session: Session, scope: Scope): boolean {
    return this.#scopes.get(session)?.has(scope) ?? false
  }

  /** Those who watch and still may: whoever may no more watches no more. */
  of(scope: Scope): Session[] {
    return [...this.#watchers.of(scope)].filter((session) => {
      if (mayWatch(session, scope)) return true
      const scopes = [...(this.#scopes.get(session) ?? [])]
      this.remove(
        session,
        scopes.filter((each) => !mayWatch(session, each)),
      )
      return false
    })
  }
}

/** Whether a socket speaks for the account, or is the client. */
function mayWatch(session: Session, scope: Scope): boolean {
  if (scope === 'rooms') return true
  const name = scope.slice(scope.indexOf(':') + 1)
  return scope.startsWith('account:')
    ? owns(session, name)
    : session.proofs.some(({ client }) => client?.id === name)
}
