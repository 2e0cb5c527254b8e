/** Which sessions hold what of the store: who is to be asked when something of it changes (R51). */
import type { Proof } from '../../locks/proof.ts'
import type { Change } from '../../store/store.ts'
import type { Session } from '../session.ts'

/** `{kind}:{id}` of what is stored. */
export type Key = `${Change['kind']}:${string}`

const NOBODY: ReadonlySet<Session> = new Set()

export class Holders {
  /**
   * Changes told so far. What was read while this was less may have changed since, and nobody was
   * asked who did not hold it yet.
   */
  told = 0
  /** Reads again what a proof rests on; set by who can. */
  review: (keys: readonly Key[]) => void = () => {}
  readonly #sessions = new Map<string, Set<Session>>()

  /** In the order in which they came to hold it. */
  of(key: Key): ReadonlySet<Session> {
    return this.#sessions.get(key) ?? NOBODY
  }

  get keys(): Iterable<Key> {
    return this.#sessions.keys() as Iterable<Key>
  }

  /** The session's proofs were `before`, and are `after` now. */
  change(session: Session, before: readonly Proof[], after: readonly Proof[]): void {
    const held = after.flatMap(keysOf)
    for (const key of before.flatMap(keysOf)) {
      if (held.includes(key)) continue
      const sessions = this.#sessions.get(key)
      sessions?.delete(session)
      if (sessions?.size === 0) this.#sessions.delete(key)
    }
    for (const key of held) {
      const sessions = this.#sessions.get(key)
      if (sessions) sessions.add(session)
      else this.#sessions.set(key, new Set([session]))
    }
  }
}

/**
 * What a proof rests on. With an account go its tokens, clients and credentials, and each of them
 * is told; so the account itself matters to those alone who rest on nothing else.
 */
export function keysOf({ account, client, credential, token }: Proof): Key[] {
  const keys: Key[] = []
  if (client) keys.push(`client:${client.id}`)
  if (credential !== undefined) keys.push(`credential:${credential}`)
  if (token) keys.push(`token:${token.id}`)
  if (account && keys.length === 0) keys.push(`account:${account.id}`)
  return keys
}
