/** Whose an MQTT session is: a client id proves nothing by itself, and is each principal's own. */
import { sha256 } from '../../../identity/sha256.ts'
import type { Proof } from '../../../locks/proof.ts'
import type { Session } from '../../../session/session.ts'

/** 128 bits. */
const KEY_BYTES = 16

export interface Principal {
  /** UUID of the account. */
  readonly account: string
  /** `client:{uuid}`, `token:{uuid}`, or `account:{uuid}` of who speaks for it. */
  readonly name: string
}

/** Undefined: the session has not proved to be anybody. A device is the client that it names. */
export function principalOf({ proofs, urlClient }: Session): Principal | undefined {
  const known = proofs.filter(({ account }) => account !== undefined)
  const named = known.find(({ client }) => client && client.id === urlClient)
  const proof = named ?? known[0]
  return proof && principalBy(proof)
}

/** Whom a proof makes of who has no other; undefined: nobody. */
export function principalBy({ account, client, token }: Proof): Principal | undefined {
  if (!account) return undefined
  if (client) return { account: account.id, name: `client:${client.id}` }
  if (token) return { account: account.id, name: `token:${token.id}` }
  return { account: account.id, name: `account:${account.id}` }
}

/**
 * The key of a session: of two principals it is never the same, whatever client ids they give
 * (A13). `id`: the client's, or the socket's where there is no principal.
 */
export function keyOf(principal: Principal | undefined, id: string): string {
  const { account = '', name = '' } = principal ?? {}
  // The client id is last: it alone may hold any character.
  const text = `${account}\0${name}\0${id}`
  return sha256(text).toString('hex', 0, KEY_BYTES)
}
