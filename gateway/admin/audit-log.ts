/** What was administered, by whom. */
import { create, fromJson, type JsonValue } from '@bufbuild/protobuf'
import { timestampFromDate, ValueSchema } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import { AuditEntrySchema, type AuditService } from '@porthouse/proto/admin/v1/audit_service'
import { Code } from '@porthouse/proto/v1/code'
import { CODES } from '../protocol/codes.ts'
import type { AuditEntry } from '../store/administration.ts'
import { parentOf } from './accounts.ts'
import { callOf } from './calls/call.ts'
import type { AdminParts } from './parts.ts'
import { readPosition, type WrittenPosition, writtenPosition } from './positions.ts'

export function auditService({ store, pages }: AdminParts): ServiceImpl<typeof AuditService> {
  return {
    async listAuditEntries(request, context) {
      const { parent, principal, method, resource } = request
      const caller = callOf(context).principal.id
      const query = ['audit', parent, principal, method, resource, caller]
      const page = pages.page<WrittenPosition>(request, query)
      const account = await parentOf(store.accounts, parent)
      const before = readPosition(page.after)
      const found = await store.audit.list({
        ...(account && { accountId: account.id }),
        ...(principal && { principal }),
        ...(method && { method }),
        ...(resource && { resource }),
        ...(before && { before }),
        limit: page.limit + 1,
      })
      const positionOf = ({ at, id }: AuditEntry) => writtenPosition({ createdAt: at, id })
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
