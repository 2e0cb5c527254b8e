/** Who may call a method, as its option `access` says: permission is decided here alone. */
import { type DescMethod, getOption } from '@bufbuild/protobuf'
import { access, type Role } from '@porthouse/proto/admin/v1/options'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import { type Principal, roleName } from '../credentials/principal.ts'

export interface MethodAccess {
  readonly roles: ReadonlySet<Role>
  readonly audited: boolean
}

const NOBODY: MethodAccess = { roles: new Set(), audited: true }
const KNOWN = new WeakMap<DescMethod, MethodAccess>()

/** A method without the option is nobody's. */
export function accessOf(method: DescMethod): MethodAccess {
  let known = KNOWN.get(method)
  if (!known) {
    const { roles, audited } = getOption(method, access)
    known = roles.length > 0 ? { roles: new Set(roles), audited } : NOBODY
    KNOWN.set(method, known)
  }
  return known
}

/** Throws Refusal ROLE_NOT_PERMITTED. */
export function checkRole(method: DescMethod, { role }: Principal): void {
  if (accessOf(method).roles.has(role)) return
  throw new Refusal(
    Code.ROLE_NOT_PERMITTED,
    `the role ${roleName(role)} may not call ${method.name}`,
  )
}
