/** A person of a provider as a client of an account: the same one each time (R7). */
import { realmOf } from '../../../identity/logins.ts'
import { sha256 } from '../../../identity/sha256.ts'
import type { ClientRecord, Store } from '../../../store/store.ts'
import type { LockStep } from '../../acceptor.ts'
import { passedAs } from '../steps.ts'
import type { Person } from './jwt.ts'
import type { OidcOptions } from './options.ts'

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** 100 bits: nobody finds a person with the name of another. */
const NAME_CHARS = 20

/**
 * The client's slug: `oidc-` and base32 of the SHA-256 of issuer and subject, a line each; between
 * them the claim, where that is another one than `sub`.
 */
export function slugOf({ issuer, subject }: Person, { claim }: OidcOptions): string {
  const lines = claim === 'sub' ? [issuer, subject] : [issuer, claim, subject]
  return `oidc-${base32(sha256(lines.join('\n'))).slice(0, NAME_CHARS)}`
}

/** The client in an account, made where it is not there yet. Rejects as the store does. */
export function clientOf(
  { clients }: Store,
  account: string,
  person: Person,
  options: OidcOptions,
): Promise<ClientRecord> {
  return clients.ensure(account, slugOf(person, options))
}

export async function passedPerson(
  store: Store,
  account: string,
  person: Person,
  options: OidcOptions,
): Promise<LockStep> {
  const { issuer, subject, expiresAt } = person
  const client = await clientOf(store, account, person, options)
  return passedAs('oidc', client, {
    values: { issuer, subject, realm: realmOfOptions(options) },
    expiresAt,
  })
}

/** Who vouches, and for what: proofs and logins count only where this is the same. */
export function realmOfOptions({ issuer, client_id, audience, claim }: OidcOptions): string {
  return realmOf(issuer, client_id, audience ?? client_id, claim)
}

function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{5}/g) ?? []).map((five) => BASE32[Number.parseInt(five, 2)]).join('')
}
