/** Who calls the admin API, and as what. */
import { Role, RoleSchema } from '@porthouse/proto/admin/v1/options'
import type { ApiRole } from '../../store/administration.ts'
import type { TokenRecord } from '../../store/store.ts'

/** What the roles of API keys are called in the API. */
export const ROLES: Readonly<Record<ApiRole, Role>> = {
  operator: Role.OPERATOR,
  owner: Role.OWNER,
  admin: Role.ADMIN,
  auditor: Role.AUDITOR,
}

export interface Principal {
  /** `operator`, `apiKeys/{uuid}`, `tokens/{uuid}`, or `oidc/{subject}`: in the audit log. */
  readonly id: string
  readonly role: Role
  /** The one that it is within; absent: all of them. */
  readonly account?: { readonly id: string; readonly slug: string }
  readonly token?: TokenRecord
  /**
   * Whether the credentials still hold, for what lasts longer than a call. Rejects where nobody can
   * say.
   */
  readonly holds: () => Promise<boolean>
}

/** Whether an account, given by slug or UUID, is one that the caller may know of. */
export function mayKnow({ account }: Principal, name: string): boolean {
  return account === undefined || name === account.slug || name.toLowerCase() === account.id
}

/** As people write it, for instance `owner`. */
export function roleName(role: Role): string {
  return RoleSchema.value[role]?.localName.toLowerCase() ?? 'nobody'
}
