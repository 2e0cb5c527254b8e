/** Who may see the whole gateway, beyond any one account: for what is no method of the API. */
import { Role } from '@porthouse/proto/admin/v1/options'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import { type Principal, roleName } from './principal.ts'

const OVERSEERS: ReadonlySet<Role> = new Set([Role.OPERATOR, Role.AUDITOR])

/**
 * Resolves for the operator, and for an auditor of no one account; else rejects with Refusal.
 * `bearerOf`: whose the credentials of a request are.
 */
export function overseerOf<Asked>(
  bearerOf: (request: Asked) => Promise<Principal>,
): (request: Asked) => Promise<void> {
  return async (request) => {
    const { role, account } = await bearerOf(request)
    if (account === undefined && OVERSEERS.has(role)) return
    const whose = account ? `the ${roleName(role)} of an account` : `the role ${roleName(role)}`
    throw new Refusal(Code.ROLE_NOT_PERMITTED, `${whose} may not see the whole gateway`)
  }
}
