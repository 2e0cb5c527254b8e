/** Who may see the whole gateway, beyond any one account: for what is no method of the API. */
import { Role } from '@porthouse/proto/admin/v1/options'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import { type Authenticate, bearerIn } from './authenticate.ts'
import { roleName } from './principal.ts'

const OVERSEERS: ReadonlySet<Role> = new Set([Role.OPERATOR, Role.AUDITOR])

interface Request {
  readonly headers: { readonly authorization?: string | undefined }
}

/**
 * Resolves for the operator, and for an auditor of no one account; else rejects with Refusal.
 * `remoteOf`: the address that a request is from.
 */
export function overseerOf<Asked extends Request>(
  authenticate: Authenticate,
  remoteOf: (request: Asked) => string,
): (request: Asked) => Promise<void> {
  return async (request) => {
    const bearer = bearerIn(request.headers.authorization)
    const { role, account } = await authenticate(bearer, remoteOf(request))
    if (account === undefined && OVERSEERS.has(role)) return
    const whose = account ? `the ${roleName(role)} of an account` : `the role ${roleName(role)}`
    throw new Refusal(Code.ROLE_NOT_PERMITTED, `${whose} may not see the whole gateway`)
  }
}
