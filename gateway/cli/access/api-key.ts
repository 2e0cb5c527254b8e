/** `porthouse api-key …`: what programs administer with. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { type ApiKey, ApiKeyService } from '@porthouse/proto/admin/v1/api_key_service'
import { Role, RoleSchema } from '@porthouse/proto/admin/v1/options'
import { checkLabel } from '../label.ts'
import { harmless, print, printJson, printTable } from '../output.ts'
import { parseExpiry } from '../quantity.ts'
import { idIn, keyResource, parentResource, timeOf } from '../resource.ts'
import { type AdminOptions, everyOf, withAdmin } from '../with-admin.ts'

interface CreateOptions extends AdminOptions {
  readonly role: string
  readonly label?: string
  readonly expires?: string
}

export async function createApiKey(account: string, options: CreateOptions): Promise<void> {
  const parent = parentResource(account)
  const { role, expires } = options
  const expireTime = expires && timestampFromDate(parseExpiry(expires, Date.now()))
  const apiKey = {
    role: Role[role.toUpperCase() as keyof typeof Role],
    label: checkLabel(options.label ?? ''),
    ...(expireTime && { expireTime }),
  }
  const made = await withAdmin(options, (admin) =>
    admin(ApiKeyService).createApiKey({ parent, apiKey }),
  )
  if (options.json) return printJson({ ...forScripts(made), secret: made.secret })
  print(`API key ${idIn(made.name)} is made; its secret is shown this once:`)
  print(made.secret)
}

export async function listApiKeys(account: string, options: AdminOptions): Promise<void> {
  const parent = parentResource(account)
  const keys = await withAdmin(options, (admin) =>
    everyOf(
      (page) => admin(ApiKeyService).listApiKeys({ parent, ...page }),
      (page) => page.apiKeys,
    ),
  )
  const rows = keys.map(forScripts)
  if (options.json) return printJson(rows)
  printTable(
    ['key', 'role', 'created', 'expires', 'label'],
    rows.map(({ id, role, label, createdAt, expiresAt }) => [
      id,
      role,
      createdAt,
      expiresAt ?? 'never',
      harmless(label) || '-',
    ]),
  )
}

export async function deleteApiKey(
  account: string,
  typed: string,
  options: AdminOptions,
): Promise<void> {
  const hint = `porthouse api-key list ${account} shows it`
  const name = keyResource(parentResource(account), 'apiKeys', typed, hint)
  await withAdmin(options, (admin) => admin(ApiKeyService).deleteApiKey({ name }))
  if (options.json) return printJson({ deleted: idIn(name) })
  print(`API key ${idIn(name)} is deleted`)
}

function forScripts({ name, role, label, createTime, expireTime }: ApiKey) {
  const [, account] = /^accounts\/([^/]+)\//.exec(name) ?? []
  return {
    id: idIn(name),
    ...(account !== undefined && { account }),
    role: RoleSchema.value[role]?.localName.toLowerCase() ?? String(role),
    label,
    createdAt: timeOf(createTime!),
    ...(expireTime && { expiresAt: timeOf(expireTime) }),
  }
}
