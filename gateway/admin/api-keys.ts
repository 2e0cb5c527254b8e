/** API keys: of an account, or of the gateway itself (threats C12, S1). */
import { create } from '@bufbuild/protobuf'
import { EmptySchema } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import {
  type ApiKey,
  ApiKeySchema,
  type ApiKeyService,
} from '@porthouse/proto/admin/v1/api_key_service'
import { newApiKey } from '../identity/api-keys.ts'
import { isNamed } from '../locks/proof.ts'
import { invalid } from '../protocol/violations.ts'
import { API_ROLES, type ApiKeyRecord, type ApiRole } from '../store/administration.ts'
import { parentOf } from './accounts.ts'
import { callOf, type State } from './calls/call.ts'
import { ROLES } from './credentials/principal.ts'
import { expiryOf, shownTimes } from './fields.ts'
import { ALL, match, unknownResource } from './names.ts'
import type { AdminParts } from './parts.ts'
import { readPosition, type WrittenPosition, writtenPosition } from './positions.ts'

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

async function theKey({ store }: AdminParts, name: string): Promise<ApiKeyRecord> {
  const inAccount = match('accounts/*/apiKeys/*', name)
  const [id, account] = inAccount ? inAccount.toReversed() : (match('apiKeys/*', name) ?? [])
  const found = id === undefined ? undefined : await store.apiKeys.find(id)
  if (!found || !isOf(found, account)) throw unknownResource(name)
  return found
}

/** `account`: slug or UUID; undefined: the gateway itself. */
function isOf({ account: owner }: ApiKeyRecord, account: string | undefined): boolean {
  return owner === undefined ? account === undefined : isNamed(owner, account)
}

/** Throws Violations. */
function roleOf(key: ApiKey | undefined, parent: string): ApiRole {
  const role = API_ROLES.find((name) => ROLES[name] === key?.role)
  const isOfGateway = parent === ALL
  const fits = role === 'auditor' || (role !== undefined && (role === 'operator') === isOfGateway)
  if (role && fits) return role
  const allowed = isOfGateway ? 'operator or auditor' : 'owner, admin or auditor'
  throw invalid('apiKey.role', `has to be ${allowed} here`)
}

function shown(key: ApiKeyRecord, secret = ''): ApiKey {
  const { id, account, role, label } = key
  return create(ApiKeySchema, {
    name: account ? `accounts/${account.slug}/apiKeys/${id}` : `apiKeys/${id}`,
    role: ROLES[role],
    label,
    secret,
    ...shownTimes(key),
  })
}

function state(key: ApiKeyRecord): State {
  return { schema: ApiKeySchema, message: shown(key) }
}
