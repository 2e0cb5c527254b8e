/** Tokens as they are found, and as they are shown. */
import { create } from '@bufbuild/protobuf'
import type { HandlerContext } from '@connectrpc/connect'
import { type Token, TokenSchema } from '@porthouse/proto/admin/v1/token_service'
import { isRevoked } from '../../identity/tokens.ts'
import { isNamed } from '../../locks/proof.ts'
import type { Account, TokenChange, TokenRecord, Tokens } from '../../store/store.ts'
import { callOf, type State } from '../calls/call.ts'
import { checkEtag, etagOf } from '../etags.ts'
import { shownTimes } from '../fields.ts'
import { shownGrants } from '../grants.ts'
import { ALL, segments, TOKEN, unknownResource } from '../names.ts'
import { shownTerms } from './terms.ts'

/** Of a secret, random. */
export const SECRET_BYTES = 32

/**
 * By its name as a resource, as it was when it had that etag, if one is given. Rejects with Refusal
 * RESOURCE_UNKNOWN or ETAG_STALE.
 */
export async function theToken(tokens: Tokens, name: string, etag = ''): Promise<TokenRecord> {
  const [account, id] = segments(TOKEN, name)
  const found = await tokens.find(id!)
  const isThere = found && (account === ALL || isNamed(found.account, account))
  if (!isThere) throw unknownResource(name)
  checkEtag(etag, etagOf(found.id, found.version))
  return found
}

/** One that is to be changed, and the etag that it was given to be changed by. */
interface Expected {
  readonly before: TokenRecord
  readonly etag: string
}

/** The version that a change is for; undefined: whichever. */
export function expectedVersion({ before, etag }: Expected): number | undefined {
  return etag === '' ? undefined : before.version
}

/** Changes it, and says so to the audit log. Rejects with `stale` where it is another by now. */
export async function change(
  tokens: Tokens,
  expected: Expected,
  to: TokenChange,
  context: HandlerContext,
): Promise<TokenRecord> {
  const { before } = expected
  const after = await tokens.change(before.id, to, expectedVersion(expected))
  callOf(context).changed = { before: state(before), after: state(after) }
  return after
}

/** One that is to be made, or is made and has a version. */
type Shown = Omit<TokenRecord, 'account' | 'version' | 'client'> & {
  readonly account: Pick<Account, 'slug'>
  readonly client?: { readonly slug: string }
  readonly version?: number
}

/** Without a version it is not there yet, and has neither name nor etag. */
export function shown(token: Shown, secret = ''): Token {
  const { id, account, client, grants, version } = token
  const within = `accounts/${account.slug}`
  return create(TokenSchema, {
    name: version === undefined ? '' : `${within}/tokens/${id}`,
    client: client ? `${within}/clients/${client.slug}` : '',
    grants: shownGrants(account, grants),
    revoked: isRevoked(token),
    etag: version === undefined ? '' : etagOf(id, version),
    secret,
    ...shownTerms(token),
    ...shownTimes(token),
  })
}

export function state(token: TokenRecord): State {
  return { schema: TokenSchema, message: shown(token) }
}
