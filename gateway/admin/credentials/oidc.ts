/** People whom an OpenID provider vouches for, with the role that it gives them. */
import { Role } from '@porthouse/proto/admin/v1/options'
import { readJwt } from '../../locks/acceptors/oidc/jwt.ts'
import { OPTIONS } from '../../locks/acceptors/oidc/options.ts'
import type { Providers } from '../../locks/acceptors/oidc/provider.ts'
import type { Log } from '../../observe/log.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Accounts } from '../../store/store.ts'
import type { Principal } from './principal.ts'

export interface OidcOptions {
  /** Absent: nobody comes in by a JWT. */
  readonly issuer?: string | undefined
  /** What `aud` has to be. */
  readonly audience?: string | undefined
  /** The claim that has the role: `operator`, `auditor`, or `owner:acme` and the like. */
  readonly claim: string
}

export interface OidcParts {
  readonly options: OidcOptions
  readonly providers: Providers
  readonly accounts: Pick<Accounts, 'find'>
  readonly clock: () => number
  readonly log: Log
}

const OF_GATEWAY: ReadonlyMap<string, Role> = new Map([
  ['operator', Role.OPERATOR],
  ['auditor', Role.AUDITOR],
])
const OF_ACCOUNT: ReadonlyMap<string, Role> = new Map([
  ['owner', Role.OWNER],
  ['admin', Role.ADMIN],
  ['auditor', Role.AUDITOR],
])

/**
 * Whom a JWT proves, with what it lets him do; undefined where it proves nobody or gives no role.
 * Rejects where nobody can judge it.
 */
export function oidcPrincipals(parts: OidcParts): (jwt: string) => Promise<Principal | undefined> {
  const { issuer, audience, claim } = parts.options
  if (issuer === undefined || audience === undefined) return async () => undefined
  const bySubject = OPTIONS.parse({ issuer, client_id: audience })
  const byRole = OPTIONS.parse({ issuer, client_id: audience, claim })
  const read = async (jwt: string): Promise<Principal | undefined> => {
    const now = parts.clock()
    const known = await parts.providers.find(bySubject, now)
    const { subject } = await readJwt(jwt, known, bySubject, { audience, now })
    const { subject: role } = await readJwt(jwt, known, byRole, { audience, now })
    const may = await rightsOf(parts, role)
    const holds = async () => (await read(jwt).catch(refused)) !== undefined
    return may && { id: `oidc/${subject}`, ...may, holds }
  }
  return async (jwt) => {
    if (!jwt.includes('.')) return undefined
    return read(jwt).catch((error) => {
      if (error instanceof Refusal) parts.log.debug({ err: error }, 'a JWT of administration')
      return refused(error)
    })
  }
}

/** `role` of the gateway, or `role:account` of an account that there is. */
async function rightsOf(
  { accounts }: OidcParts,
  text: string,
): Promise<Pick<Principal, 'role' | 'account'> | undefined> {
  const [name = '', slug] = text.split(':', 2)
  const role = (slug === undefined ? OF_GATEWAY : OF_ACCOUNT).get(name)
  if (role === undefined) return undefined
  if (slug === undefined) return { role }
  const account = await accounts.find(slug)
  return account && { role, account }
}

function refused(error: unknown): undefined {
  if (!(error instanceof Refusal)) throw error
}
