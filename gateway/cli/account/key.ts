/** `porthouse account key …`: connection keys, by which a program is the account itself (R1). */
import { durationFromMs, timestampFromDate } from '@bufbuild/protobuf/wkt'
import {
  type ConnectionKey,
  ConnectionKeyService,
} from '@porthouse/proto/admin/v1/connection_key_service'
import { keyForScripts, printCredentials } from '../credentials.ts'
import { Failure, usage } from '../failure.ts'
import { checkLabel } from '../label.ts'
import { print, printJson } from '../output.ts'
import { parseExpiry, parseSpan } from '../quantity.ts'
import { accountResource, idIn, keyResource, timeOf } from '../resource.ts'
import { type AdminOptions, everyOf, withAdmin } from '../with-admin.ts'

interface CreateOptions extends AdminOptions {
  readonly label?: string
  readonly expires?: string
}

interface RotateOptions extends AdminOptions {
  readonly overlap: string
  readonly expires?: string
}

export async function createKey(account: string, options: CreateOptions): Promise<void> {
  const parent = accountResource(account)
  const connectionKey = { label: checkLabel(options.label ?? ''), ...expiryOf(options) }
  const made = await withAdmin(options, (admin) =>
    admin(ConnectionKeyService).createConnectionKey({ parent, connectionKey }),
  )
  if (options.json) return printJson(withSecret(made))
  print(`key ${idIn(made.name)} is made; its secret is shown this once:`)
  print(made.secret)
}

export async function listKeys(account: string, options: AdminOptions): Promise<void> {
  const parent = accountResource(account)
  const keys = await withAdmin(options, (admin) =>
    everyOf(
      (page) => admin(ConnectionKeyService).listConnectionKeys({ parent, ...page }),
      (page) => page.connectionKeys,
    ),
  )
  const rows = keys.map(keyForScripts)
  if (options.json) return printJson(rows)
  printCredentials(rows)
}

export async function rotateKey(
  account: string,
  typed: string,
  options: RotateOptions,
): Promise<void> {
  const name = keyName(account, typed)
  const overlap = durationFromMs(parseSpan(options.overlap, '--overlap'))
  const request = { name, overlap, ...expiryOf(options) }
  const answer = await withAdmin(options, (admin) =>
    admin(ConnectionKeyService).rotateConnectionKey(request),
  ).catch((error: unknown) => {
    const isEnded = error instanceof Failure && error.code === 'STATE_UNSUITABLE'
    const next = `make another: porthouse account key create ${account}`
    throw isEnded ? usage(`key ${idIn(name)} has ended; ${next}`) : error
  })
  const [made, old] = [answer.connectionKey!, answer.replaced!]
  if (options.json) return printJson({ ...withSecret(made), replaces: keyForScripts(old) })
  const [id, before, end] = [idIn(made.name), idIn(old.name), timeOf(old.expireTime!)]
  print(`key ${id} is made in place of ${before}, which ends at ${end}; its secret:`)
  print(made.secret)
}

export async function revokeKey(
  account: string,
  typed: string,
  options: AdminOptions,
): Promise<void> {
  const name = keyName(account, typed)
  await withAdmin(options, (admin) => admin(ConnectionKeyService).revokeConnectionKey({ name }))
  if (options.json) return printJson({ revoked: idIn(name) })
  print(`key ${idIn(name)} is revoked; what is connected by it is dropped`)
}

function expiryOf({ expires }: CreateOptions) {
  return expires ? { expireTime: timestampFromDate(parseExpiry(expires, Date.now())) } : {}
}

function keyName(account: string, typed: string): string {
  const hint = `porthouse account key list ${account} shows it`
  return keyResource(accountResource(account), 'connectionKeys', typed, hint)
}

function withSecret(key: ConnectionKey) {
  return { ...keyForScripts(key), secret: key.secret }
}
