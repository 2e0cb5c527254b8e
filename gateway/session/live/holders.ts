/** Which sessions hold what of the store: who is to be asked when something of it changes (R51). */
import type { Proof } from '../../locks/proof.ts'
import { SetMap } from '../../router/set-map.ts'
import type { Change } from '../../store/store.ts'
import type { Session } from '../session.ts'

/** `{kind}:{id}` of what is stored. */
export type Key = `${Change['kind']}:${string}`

export class Holders {
  /**
   * Changes told so far. What was read while this was less may have changed since, and nobody was
   * asked who did not hold it yet.
   */
  told = 0
  /** Reads again what a proof rests on; set by who can. */
  review: (keys: readonly Key[]) => void = () => {}
  readonly #sessions = new SetMap<Key, Session>()

  /** In the order in which they came to hold it. */
  of(key: Key): ReadonlySet<Session> {
    return this.#sessions.of(key)
  }

  get keys(): Iterable<Key> {
    return this.#sessions.keys
  }

  /** The session's proofs were `before`, and are `after` now. */
  change(session: Session, before: readonly Proof[], after: readonly Proof[]): void {
    const held = after.flatMap(keysOf)
    for (const key of before.flatMap(keysOf)) {
      if (!held.includes(key)) this.#sessions.delete(key, session)
    }
    for (const key of held) this.#sessions.add(key, session)
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
