/**
 * Writes down who changed what, from where: of each call of a method that says so (`audited`), and
 * of each that asks for secrets.
 */
import type { JsonValue, Message } from '@bufbuild/protobuf'
import { clone, toJson } from '@bufbuild/protobuf'
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect'
import type { Interceptor, UnaryRequest } from '@connectrpc/connect'
import { Code } from '@porthouse/proto/v1/code'
import type { Log } from '../../observe/log.ts'
import { codeInfo } from '../../protocol/codes.ts'
import { masked } from '../../rooms/config-secrets.ts'
import type { AuditLog } from '../../store/administration.ts'
import type { Accounts } from '../../store/store.ts'
import { roleName } from '../credentials/principal.ts'
import { accessOf } from './access.ts'
import { type Call, callKey, type State } from './call.ts'
import { refusalOf } from './errors.ts'
import { rulesOf } from './rules.ts'
import { namesIn } from './scope.ts'

export interface AuditParts {
  readonly audit: AuditLog
  readonly accounts: Pick<Accounts, 'find'>
  /** A new UUIDv7. */
  readonly newId: () => string
  readonly clock: () => number
  readonly log: Log
}

/** Secrets in what has no schema of ours, such as the options of a lock. */
const SECRET = /(^|_)secret$/i

export function audit(parts: AuditParts): Interceptor {
  return (next) => async (request) => {
    const call = request.contextValues.get(callKey)
    if (request.stream || !call || !isWritten(request)) return next(request)
    // Before it is done: afterwards the account may be gone.
    const accountId = call.principal.account?.id ?? (await accountOf(parts, nameIn(request)))
    let code = ''
    try {
      return await next(request)
    } catch (error) {
      code = codeInfo(refusalOf(error)?.code ?? Code.INTERNAL).name
      throw error
    } finally {
      await write(parts, request, call, { code, accountId })
    }
  }
}

function isWritten({ method, message }: UnaryRequest): boolean {
  const { validateOnly, revealSecrets } = message as { [flag: string]: unknown }
  return revealSecrets === true || (accessOf(method).audited && validateOnly !== true)
}

/** What was done is done: where it cannot be written down, the log of the gateway has it. */
async function write(
  parts: AuditParts,
  request: UnaryRequest,
  { principal, remote, changed }: Call,
  { code, accountId }: { code: string; accountId: string | undefined },
): Promise<void> {
  const { audit: entries, newId, clock, log } = parts
  const { method } = request
  const { before, after } = changed ?? {}
  const named = ((after ?? before)?.message as { name?: string } | undefined)?.name
  const resource = changed?.resource ?? named ?? nameIn(request)
  // Asked for as `accounts/-/tokens/…`, it is known by what was found.
  const ofAccount = accountId ?? (await accountOf(parts, resource).catch(() => undefined))
  const entry = {
    id: newId(),
    at: new Date(clock()),
    principal: principal.id,
    role: roleName(principal.role),
    remote,
    method: `${method.parent.name}/${method.name}`,
    resource,
    ...(ofAccount !== undefined && { accountId: ofAccount }),
    code,
    ...(before && { before: shown(before) }),
    ...(after && { after: shown(after) }),
  }
  const { before: _before, after: _after, ...line } = entry
  log.info(line, 'administered')
  await entries.add(entry).catch((err) => log.error({ err, ...line }, 'not in the audit log'))
}

function nameIn({ method, message }: UnaryRequest): string {
  const [first] = namesIn(method.input, message, '')
  return first?.name ?? ''
}

async function accountOf({ accounts }: AuditParts, resource: string): Promise<string | undefined> {
  const [, account] = /^accounts\/([^/]+)/.exec(resource) ?? []
  return account === undefined ? undefined : (await accounts.find(account))?.id
}

/** As Protobuf JSON, without secrets. */
function shown({ schema, message }: State): JsonValue {
  const copy = clone(schema, message as Message)
  clearSecrets(reflect(schema, copy))
  return masked(toJson(schema, copy), SECRET)
}

function clearSecrets(message: ReflectMessage): void {
  for (const field of message.fields) {
    if (rulesOf(field).secret) message.clear(field)
    else if (field.fieldKind === 'message' && message.isSet(field)) clearSecrets(message.get(field))
  }
}
