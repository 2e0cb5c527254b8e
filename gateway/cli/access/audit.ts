/** `porthouse audit …`: what was administered, by whom. */
import { toJson } from '@bufbuild/protobuf'
import { ValueSchema } from '@bufbuild/protobuf/wkt'
import { type AuditEntry, AuditService } from '@porthouse/proto/admin/v1/audit_service'
import { codeInfo } from '../../protocol/codes.ts'
import { harmless, printJson, printTable } from '../output.ts'
import { parseLast } from '../quantity.ts'
import { ALL, parentResource, timeOf } from '../resource.ts'
import { type AdminOptions, everyOf, withAdmin } from '../with-admin.ts'

interface ListOptions extends AdminOptions {
  readonly principal?: string
  readonly method?: string
  readonly resource?: string
  readonly last: string
}

export async function listAudit(
  account: string | undefined,
  { principal = '', method = '', resource = '', last, ...options }: ListOptions,
): Promise<void> {
  const parent = parentResource(account ?? ALL)
  const max = parseLast(last)
  const query = { parent, principal, method, resource }
  const entries = await withAdmin(options, (admin) =>
    everyOf(
      (page) => admin(AuditService).listAuditEntries({ ...query, ...page }),
      (page) => page.entries,
      max,
    ),
  )
  const rows = entries.map(forScripts)
  if (options.json) return printJson(rows)
  printTable(
    ['time', 'who', 'from', 'method', 'what', 'outcome'],
    rows.map(({ time, principal: who, remote, method: how, resource: what, code = 'done' }) =>
      [time, who, remote, how, what, code].map(harmless),
    ),
  )
}

function forScripts({ uid, time, code, before, after, ...entry }: AuditEntry) {
  const { principal, role, remote, method, resource } = entry
  return {
    id: uid,
    time: timeOf(time!),
    principal,
    role,
    remote,
    method,
    resource,
    ...(code && { code: codeInfo(code).name }),
    ...(before && { before: toJson(ValueSchema, before) }),
    ...(after && { after: toJson(ValueSchema, after) }),
  }
}
