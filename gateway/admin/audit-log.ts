/** What was administered, by whom. */
import { create, fromJson, type JsonValue } from '@bufbuild/protobuf'
import { timestampFromDate, ValueSchema } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import { AuditEntrySchema, type AuditService } from '@porthouse/proto/admin/v1/audit_service'
import { Code } from '@porthouse/proto/v1/code'
import { CODES } from '../protocol/codes.ts'
import type { AuditEntry } from '../store/administration.ts'
import { theAccount } from './accounts.ts'
import { callOf } from './calls/call.ts'
import type { AdminParts } from './parts.ts'

type Position = readonly [at: string, id: string]

export function auditService({ store, pages }: AdminParts): ServiceImpl<typeof AuditService> {
  return {
    async listAuditEntries(request, context) {
      const { parent, principal, method, resource } = request
      const caller = callOf(context).principal.id
      const query = ['audit', parent, principal, method, resource, caller]
      const page = pages.page<Position>(request, query)
      const account = parent === '-' ? undefined : await theAccount(store.accounts, parent)
      const found = await store.audit.list({
        ...(account && { accountId: account.id }),
        ...(principal && { principal }),
        ...(method && { method }),
        ...(resource && { resource }),
        ...(page.after && { before: { at: new Date(page.after[0]), id: page.after[1] } }),
        limit: page.limit + 1,
      })
      const positionOf = ({ at, id }: AuditEntry): Position => [at.toISOString(), id]
      const { items, nextPageToken } = pages.cut(found, page, query, positionOf)
      return { entries: items.map(shown), nextPageToken }
    },
  }
}

function shown({ id, at, code, before, after, ...same }: AuditEntry) {
  return create(AuditEntrySchema, {
    ...same,
    uid: id,
    time: timestampFromDate(at),
    code: CODES.find(({ name }) => name === code)?.code ?? Code.UNSPECIFIED,
    ...(before !== undefined && { before: jsonValue(before) }),
    ...(after !== undefined && { after: jsonValue(after) }),
  })
}

function jsonValue(json: JsonValue) {
  return fromJson(ValueSchema, json)
}
