/** `porthouse token …` (R33). */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { AccountService } from '@porthouse/proto/admin/v1/account_service'
import type { Grant } from '@porthouse/proto/admin/v1/grant'
import {
  type Token,
  TokenMethod,
  TokenMethodSchema,
  type TokenSchema,
  TokenService,
} from '@porthouse/proto/admin/v1/token_service'
import { usage } from '../failure.ts'
import {
  grantForScripts,
  grantsText,
  grantsWithout,
  type NewGrant,
  parseGrants,
} from '../grants.ts'
import { nameOf } from '../names.ts'
import { print, printJson, printTable } from '../output.ts'
import { parseExpiry, parseRate, parseSockets } from '../quantity.ts'
import { ALL, accountResource, idIn, timeOf, tokenId } from '../resource.ts'
import { type Admin, type AdminOptions, everyOf, unlessStale, withAdmin } from '../with-admin.ts'

interface TermOptions {
  readonly expires?: string
  readonly method?: string
  readonly rate?: string
  readonly maxConnections?: string
}

interface CreateOptions extends AdminOptions, TermOptions {
  /** ROOM:RIGHTS each. */
  readonly room: readonly string[]
  readonly client?: string
}

export async function createToken(account: string, options: CreateOptions): Promise<void> {
  const parent = accountResource(account)
  const client = options.client && `${parent}/clients/${nameOf(options.client, 'client')}`
  const token = {
    grants: parseGrants(nameOf(account, 'account'), options.room),
    ...(client && { client }),
    ...termsOf(options),
  }
  const made = await withAdmin(options, (admin) =>
    admin(TokenService).createToken({ parent, token }),
  )
  if (options.json) return printJson({ ...forScripts(made), secret: made.secret })
  print(`token ${idIn(made.name)} is made; its secret is shown this once:`)
  print(made.secret)
}

function termsOf({
  expires,
  method,
  rate,
  maxConnections: most,
}: TermOptions): MessageInitShape<typeof TokenSchema> {
  return {
    ...(expires !== undefined && {
      expireTime: timestampFromDate(parseExpiry(expires, Date.now())),
    }),
    ...(method && { method: TokenMethod[method.toUpperCase() as keyof typeof TokenMethod] }),
    ...(rate !== undefined && { rate: parseRate(rate) }),
    ...(most !== undefined && { maxConnections: parseSockets('--max-connections', most) }),
  }
}

export async function listTokens(account: string, options: AdminOptions): Promise<void> {
  const parent = accountResource(account)
  const tokens = await withAdmin(options, (admin) =>
    everyOf(
      (page) => admin(TokenService).listTokens({ parent, ...page }),
      (page) => page.tokens,
    ),
  )
  if (options.json) return printJson(tokens.map(forScripts))
  printTable(
    ['token', 'rooms', 'client', 'expires'],
    tokens.map((one) => [idIn(one.name), grantsText(one.grants), clientOf(one), expiryOf(one)]),
  )
}

export async function showToken(typed: string, options: AdminOptions): Promise<void> {
  const token = await withToken(typed, options, (tokens, name) => tokens.getToken({ name }))
  if (options.json) return printJson(forScripts(token))
  const { account, method = 'any', maxConnections = 'any', rate, createdAt } = forScripts(token)
  printTable(
    ['token', idIn(token.name)],
    [
      ['account', account],
      ['rooms', grantsText(token.grants)],
      ['client', clientOf(token)],
      ['method', method],
      ['rate', rate ? `${rate.perSecond}/s:${rate.burst}` : 'any'],
      ['connections', String(maxConnections)],
      ['created', createdAt],
      ['expires', expiryOf(token)],
    ],
  )
}

export async function updateToken(
  typed: string,
  options: AdminOptions & TermOptions,
): Promise<void> {
  const terms = termsOf(options)
  if (Object.keys(terms).length === 0) {
    throw usage('say what to change: --expires, --method, --rate or --max-connections')
  }
  const changed = await withToken(typed, options, (tokens, name) =>
    tokens.updateToken({ token: { name, ...terms } }),
  )
  if (options.json) return printJson(forScripts(changed))
  print(`token ${idIn(changed.name)} has other terms, which its live sockets feel`)
}

export async function grantToken(
  typed: string,
  options: AdminOptions & { readonly room: readonly string[] },
): Promise<void> {
  // For its form alone, before anything is asked.
  parseGrants('account', options.room)
  await changeRights(typed, options, async ({ grants, name }) => [
    ...grants,
    ...parseGrants(accountOf(name), options.room),
  ])
}

export async function ungrantToken(
  typed: string,
  room: string,
  options: AdminOptions,
): Promise<void> {
  nameOf(room, 'room')
  await changeRights(typed, options, ({ grants, name }, admin) =>
    grantsWithout(admin, grants, { account: accountOf(name), room, of: `token ${typed}` }),
  )
}

/** Reads them, and writes them back as nobody else has changed them meanwhile. */
async function changeRights(
  typed: string,
  options: AdminOptions,
  change: (token: Token, admin: Admin) => Promise<(Grant | NewGrant)[]>,
): Promise<void> {
  const changed = await withToken(typed, options, (tokens, resource, admin) =>
    unlessStale(async () => {
      const before = await tokens.getToken({ name: resource })
      const { name, etag } = before
      const token = { name, etag, grants: await change(before, admin) }
      return tokens.updateToken({ token, updateMask: { paths: ['grants'] } })
    }),
  )
  if (options.json) return printJson(forScripts(changed))
  print(`token ${idIn(changed.name)} may now: ${grantsText(changed.grants)}`)
}

export async function regenerateToken(typed: string, options: AdminOptions): Promise<void> {
  const token = await withToken(typed, options, (tokens, name) => tokens.regenerateToken({ name }))
  if (options.json) return printJson({ ...forScripts(token), secret: token.secret })
  print(`token ${idIn(token.name)} has another secret, shown this once; the old one is void:`)
  print(token.secret)
}

/** No secret opens it any more; its record stays, and `regenerate` gives it a new one. */
export async function revokeToken(typed: string, options: AdminOptions): Promise<void> {
  const token = await withToken(typed, options, (tokens, name) => tokens.revokeToken({ name }))
  if (options.json) return printJson(forScripts(token))
  const id = idIn(token.name)
  print(`token ${id} is revoked; porthouse token regenerate ${id} gives it another secret`)
}

export async function deleteToken(typed: string, options: AdminOptions): Promise<void> {
  await withToken(typed, options, (tokens, name) => tokens.deleteToken({ name }))
  if (options.json) return printJson({ deleted: typed.toLowerCase() })
  print(`token ${typed.toLowerCase()} is deleted`)
}

type Tokens = ReturnType<typeof tokensOf>

function tokensOf(admin: Admin) {
  return admin(TokenService)
}

/** By its id alone, which no other token of the gateway has. */
async function withToken<T>(
  typed: string,
  options: AdminOptions,
  use: (tokens: Tokens, name: string, admin: Admin) => Promise<T>,
): Promise<T> {
  const id = tokenId(typed)
  return withAdmin(options, async (admin) => {
    const { accounts } = await admin(AccountService).listAccounts({ pageSize: 2 })
    // Whoever may see one account alone has to name it.
    const [only] = accounts.length === 1 ? accounts : []
    return use(tokensOf(admin), `${only?.name ?? `accounts/${ALL}`}/tokens/${id}`, admin)
  })
}

function accountOf(name: string): string {
  return name.split('/')[1] ?? ''
}

function clientOf({ client }: Token): string {
  return client === '' ? '-' : idIn(client)
}

function expiryOf({ revoked, expireTime }: Token): string {
  if (revoked) return 'revoked'
  return expireTime ? timeOf(expireTime) : 'never'
}

function forScripts(token: Token) {
  const { name, client, grants, method, rate, maxConnections, createTime, expireTime } = token
  return {
    id: idIn(name),
    account: accountOf(name),
    ...(client !== '' && { client: idIn(client) }),
    rooms: grants.map(grantForScripts),
    ...(method && {
      method: TokenMethodSchema.value[method]?.localName.toLowerCase() ?? String(method),
    }),
    ...(rate && { rate: { perSecond: rate.perSecond, burst: rate.burst } }),
    ...(maxConnections !== 0 && { maxConnections }),
    createdAt: timeOf(createTime!),
    ...(expireTime && { expiresAt: timeOf(expireTime) }),
    ...(token.revoked && { revoked: true }),
  }
}
