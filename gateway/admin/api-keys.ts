/** API keys: of an account, or of the gateway itself (threats C12, S1). */
import { create } from '@bufbuild/protobuf'
import { EmptySchema } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import {
  type ApiKey,
  ApiKeySchema,
  type ApiKeyService,
} from '@porthouse/proto/admin/v1/api_key_service'
import { Role } from '@porthouse/proto/admin/v1/options'
import { newApiKey } from '../identity/api-keys.ts'
import { invalid } from '../protocol/violations.ts'
import type { ApiKeyRecord, ApiRole } from '../store/administration.ts'
import type { Account, Accounts } from '../store/store.ts'
import { theAccount } from './accounts.ts'
import { callOf, type State } from './calls/call.ts'
import { expiryOf, shownTimes } from './fields.ts'
import { match, unknownResource } from './names.ts'
import type { AdminParts } from './parts.ts'
import { readPosition, type WrittenPosition, writtenPosition } from './positions.ts'

/** The gateway itself, as a parent. */
const GATEWAY = '-'

const ROLES: ReadonlyMap<Role, ApiRole> = new Map([
  [Role.OPERATOR, 'operator'],
  [Role.OWNER, 'owner'],
  [Role.ADMIN, 'admin'],
  [Role.AUDITOR, 'auditor'],
])

export function apiKeyService(parts: AdminParts): ServiceImpl<typeof ApiKeyService> {
  const { store, pages, clock, newId, random } = parts
  const { accounts, apiKeys } = store
  return {
    async listApiKeys(request, context) {
      const query = ['apiKeys', request.parent, callOf(context).principal.id]
      const page = pages.page<WrittenPosition>(request, query)
      const parent = await parentOf(accounts, request.parent)
      const part = { after: readPosition(page.after), limit: page.limit + 1 }
      const found = await apiKeys.list(parent?.id, part)
      const { items, nextPageToken } = pages.cut(found, page, query, writtenPosition)
      return { apiKeys: items.map((key) => shown(key)), nextPageToken }
    },

    async createApiKey({ parent, apiKey, validateOnly }, context) {
      const role = roleOf(apiKey, parent)
      const expiresAt = expiryOf(apiKey?.expireTime, clock(), 'apiKey.expireTime')
      const account = await parentOf(accounts, parent)
      const { label = '' } = apiKey ?? {}
      const { id, secret, hash } = newApiKey(newId(), random(32))
      const key = { id, role, hash, label, ...(expiresAt && { expiresAt }) }
      const owned = { ...key, ...(account && { account: account.id }) }
      if (validateOnly) {
        const { account: _id, ...rest } = owned
        return shown({ ...rest, ...(account && { account }), createdAt: new Date(clock()) })
      }
      const made = await apiKeys.create(owned)
      callOf(context).changed = { after: state(made) }
      return shown(made, secret)
    },

    async deleteApiKey({ name, validateOnly }, context) {
      const found = await theKey(parts, name)
      if (!validateOnly) {
        callOf(context).changed = { before: state(found) }
        if (!(await apiKeys.delete(found.id))) throw unknownResource(name)
      }
      return create(EmptySchema)
    },
  }
}

/** Undefined: the gateway itself. Rejects with Refusal RESOURCE_UNKNOWN. */
async function parentOf(accounts: Accounts, parent: string): Promise<Account | undefined> {
  return parent === GATEWAY ? undefined : theAccount(accounts, parent)
}

async function theKey({ store }: AdminParts, name: string): Promise<ApiKeyRecord> {
  const inAccount = match('accounts/*/apiKeys/*', name)
  const [id, account] = inAccount ? inAccount.toReversed() : (match('apiKeys/*', name) ?? [])
  const found = id === undefined ? undefined : await store.apiKeys.find(id)
  const isThere = account === undefined ? !found?.account : isNamed(found?.account, account)
  if (!found || !isThere) throw unknownResource(name)
  return found
}

function isNamed(account: ApiKeyRecord['account'], name: string): boolean {
  return account?.id === name || account?.slug === name
}

/** Throws Violations. */
function roleOf(key: ApiKey | undefined, parent: string): ApiRole {
  const role = ROLES.get(key?.role ?? Role.UNSPECIFIED)
  const isOfGateway = parent === GATEWAY
  const fits = role === 'auditor' || (role !== undefined && (role === 'operator') === isOfGateway)
  if (role && fits) return role
  const allowed = isOfGateway ? 'operator or auditor' : 'owner, admin or auditor'
  throw invalid('apiKey.role', `has to be ${allowed} here`)
}

function shown(key: ApiKeyRecord, secret = ''): ApiKey {
  const { id, account, role, label } = key
  const [known] = [...ROLES].find(([, name]) => name === role) ?? [Role.UNSPECIFIED]
  return create(ApiKeySchema, {
    name: account ? `accounts/${account.slug}/apiKeys/${id}` : `apiKeys/${id}`,
    role: known,
    label,
    secret,
    ...shownTimes(key),
  })
}

function state(key: ApiKeyRecord): State {
  return { schema: ApiKeySchema, message: shown(key) }
}
