/** Connection keys: by which programs open sockets as the account itself (R1). */
import { create } from '@bufbuild/protobuf'
import { type Duration, EmptySchema } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import {
  type ConnectionKey,
  ConnectionKeySchema,
  type ConnectionKeyService,
} from '@porthouse/proto/admin/v1/connection_key_service'
import { Code } from '@porthouse/proto/v1/code'
import { endOf, makeKey, replaceKey } from '../identity/account-keys.ts'
import { isExpired } from '../identity/expiry.ts'
import { isNamed } from '../locks/proof.ts'
import { Refusal } from '../protocol/codes.ts'
import { invalid } from '../protocol/violations.ts'
import type { Account, Credential, Credentials } from '../store/store.ts'
import { theAccount } from './accounts.ts'
import { callOf, type State } from './calls/call.ts'
import { expiryOf, labelOf, shownTimes } from './fields.ts'
import { segments, unknownResource } from './names.ts'
import type { AdminParts } from './parts.ts'
import { readPosition, type WrittenPosition, writtenPosition } from './positions.ts'

const DAY_MS = 86_400_000
const OVERLAP_MS_MAX = 3_650 * DAY_MS

export function connectionKeyService(parts: AdminParts): ServiceImpl<typeof ConnectionKeyService> {
  const { store, pages, clock, newId, random } = parts
  const { accounts, credentials } = store
  const keyParts = { credentials, random, newId }
  return {
    async listConnectionKeys(request, context) {
      const query = ['connectionKeys', request.parent, callOf(context).principal.id]
      const page = pages.page<WrittenPosition>(request, query)
      const { id } = await theAccount(accounts, request.parent)
      const part = { after: readPosition(page.after), limit: page.limit + 1 }
      const found = await credentials.list(id, undefined, part)
      const { items, nextPageToken } = pages.cut(found, page, query, writtenPosition)
      return { connectionKeys: items.map((key) => shown(key)), nextPageToken }
    },

    async createConnectionKey({ parent, connectionKey: given, validateOnly }, context) {
      const account = await theAccount(accounts, parent)
      const label = labelOf(given?.label ?? '', 'connectionKey.label')
      const expiresAt = expiryOf(given?.expireTime, clock(), 'connectionKey.expireTime')
      const wanted = { label, ...(expiresAt && { expiresAt }) }
      if (validateOnly) return shown({ ...wanted, account, createdAt: new Date(clock()) })
      const { record, secret } = await makeKey(keyParts, { ...wanted, account: account.id })
      callOf(context).changed = { after: state(record) }
      return shown(record, secret)
    },

    async rotateConnectionKey({ name, overlap, expireTime, validateOnly }, context) {
      const now = clock()
      const end = new Date(now + overlapMs(overlap))
      const expiresAt = expiryOf(expireTime, now, 'expireTime')
      const before = await theKey(credentials, name)
      if (isExpired(before, now)) {
        throw new Refusal(Code.STATE_UNSUITABLE, 'the key has ended; make another')
      }
      if (validateOnly) {
        const { account, label } = before
        const next = { account, label, createdAt: new Date(now), ...(expiresAt && { expiresAt }) }
        const replaced = shown({ ...before, expiresAt: endOf(before, end) })
        return { connectionKey: shown(next), replaced }
      }
      const { made, old } = await replaceKey(keyParts, before, { end, expiresAt })
      callOf(context).changed = { before: state(before), after: state(made.record) }
      return { connectionKey: shown(made.record, made.secret), replaced: shown(old) }
    },

    async revokeConnectionKey({ name, validateOnly }, context) {
      const found = await theKey(credentials, name)
      if (!validateOnly) {
        if (!(await credentials.delete(found.id))) throw unknownResource(name)
        callOf(context).changed = { before: state(found) }
      }
      return create(EmptySchema)
    },
  }
}

async function theKey(credentials: Credentials, name: string): Promise<Credential> {
  const [account, id] = segments('accounts/*/connectionKeys/*', name)
  const found = await credentials.find(id!)
  const isThere = found?.kind === 'connection-key' && isNamed(found.account, account)
  if (!isThere) throw unknownResource(name)
  return found
}

/** Throws Violations. */
function overlapMs(overlap: Duration | undefined): number {
  if (!overlap) return DAY_MS
  const ms = Number(overlap.seconds) * 1_000 + overlap.nanos / 1e6
  if (ms >= 0 && ms <= OVERLAP_MS_MAX) return ms
  throw invalid('overlap', 'is not between nothing and ten years')
}

/** One that is to be made has no id. */
type Shown = Pick<Credential, 'label' | 'createdAt' | 'expiresAt'> & {
  readonly id?: string
  readonly account: Pick<Account, 'slug'>
}

function shown({ id, account, label, ...times }: Shown, secret = ''): ConnectionKey {
  const name = id === undefined ? '' : `accounts/${account.slug}/connectionKeys/${id}`
  return create(ConnectionKeySchema, { name, label, secret, ...shownTimes(times) })
}

function state(key: Credential): State {
  return { schema: ConnectionKeySchema, message: shown(key) }
}
