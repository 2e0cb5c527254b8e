/** `porthouse token …` (R33). */
import { randomBytes, randomUUID } from 'node:crypto'
import { isRevoked, newToken, REVOKED_HASH } from '../identity/tokens.ts'
import type { Method, Store, TokenRecord, TokenTerms } from '../store/store.ts'
import { findAccount } from './find-account.ts'
import {
  again,
  grantForScripts,
  grantsIn,
  grantsText,
  grantsWithout,
  parseGrant,
} from './grants.ts'
import { idOf, nameOf } from './names.ts'
import { print, printJson, printTable } from './output.ts'
import { parseExpiry, parseRate, parseSockets } from './quantity.ts'
import { missing, type StoreOptions, withStore } from './with-store.ts'

interface TermOptions {
  readonly expires?: string
  readonly method?: Method
  readonly rate?: string
  readonly maxConnections?: string
}

interface CreateOptions extends StoreOptions, TermOptions {
  /** ROOM:RIGHTS each. */
  readonly room: readonly string[]
  readonly client?: string
}

type NewToken = Omit<Parameters<Store['tokens']['create']>[0], 'id' | 'hash'>

export async function createToken(account: string, options: CreateOptions): Promise<void> {
  nameOf(account, 'account')
  const rights = options.room.map(parseGrant)
  const client = options.client && nameOf(options.client, 'client')
  const terms = termsOf(options)
  const { record, secret } = await withStore(options, async (store) => {
    const owner = await findAccount(store, account)
    const grants = await grantsIn(store, owner, rights)
    return makeToken(store, { account: owner.id, grants, ...(client && { client }), ...terms })
  })
  if (options.json) return printJson({ ...forScripts(record), secret })
  print(`token ${record.id} is made; its secret is shown this once:`)
  print(secret)
}

function termsOf({ expires, method, rate, maxConnections: most }: TermOptions): TokenTerms {
  return {
    ...(expires !== undefined && { expiresAt: parseExpiry(expires, Date.now()) }),
    ...(method && { method }),
    ...(rate !== undefined && { rate: parseRate(rate) }),
    ...(most !== undefined && { maxConnections: parseSockets('--max-connections', most) }),
  }
}

/** Makes a token and tells its secret, which is not kept. */
export async function makeToken(
  store: Store,
  wanted: NewToken,
): Promise<{ record: TokenRecord; secret: string }> {
  const { id, secret, hash } = newToken(randomUUID(), randomBytes(32))
  return { record: await store.tokens.create({ id, hash, ...wanted }), secret }
}

export async function listTokens(account: string, options: StoreOptions): Promise<void> {
  const tokens = await withStore(options, async (store) =>
    store.tokens.list((await findAccount(store, account)).id),
  )
  if (options.json) return printJson(tokens.map(forScripts))
  printTable(
    ['token', 'rooms', 'client', 'expires'],
    tokens.map((one) => [one.id, grantsText(one.grants), one.client?.slug ?? '-', expiryOf(one)]),
  )
}

export async function showToken(typed: string, options: StoreOptions): Promise<void> {
  const id = tokenId(typed)
  const token = await withStore(options, (store) => findToken(store, id))
  if (options.json) return printJson(forScripts(token))
  printTable(
    ['token', token.id],
    [
      ['account', token.account.slug],
      ['rooms', grantsText(token.grants)],
      ['client', token.client?.slug ?? '-'],
      ['method', token.method ?? 'any'],
      ['rate', token.rate ? `${token.rate.perSecond}/s:${token.rate.burst}` : 'any'],
      ['connections', token.maxConnections === undefined ? 'any' : String(token.maxConnections)],
      ['created', token.createdAt.toISOString()],
      ['expires', expiryOf(token)],
    ],
  )
}

export async function grantToken(
  typed: string,
  options: StoreOptions & { readonly room: readonly string[] },
): Promise<void> {
  const id = tokenId(typed)
  const rights = options.room.map(parseGrant)
  const record = await withStore(options, async (store) => {
    const { account, grants } = await findToken(store, id)
    const more = await grantsIn(store, account, rights)
    return store.tokens.change(id, { grants: [...grants.map(again), ...more] })
  })
  tellRights(record, options)
}

export async function ungrantToken(
  typed: string,
  room: string,
  options: StoreOptions,
): Promise<void> {
  const id = tokenId(typed)
  const name = nameOf(room, 'room')
  const record = await withStore(options, async (store) => {
    const { grants } = await findToken(store, id)
    return store.tokens.change(id, { grants: grantsWithout(grants, name, `token ${id}`) })
  })
  tellRights(record, options)
}

export async function regenerateToken(typed: string, options: StoreOptions): Promise<void> {
  const id = tokenId(typed)
  const { secret, hash } = newToken(id, randomBytes(32))
  const record = await withStore(options, async (store) => {
    await findToken(store, id)
    return store.tokens.change(id, { hash })
  })
  if (options.json) return printJson({ ...forScripts(record), secret })
  print(`token ${id} has another secret, shown this once; the old one is void:`)
  print(secret)
}

/** No secret opens it any more; its record stays, and `regenerate` gives it a new one. */
export async function revokeToken(typed: string, options: StoreOptions): Promise<void> {
  const id = tokenId(typed)
  const record = await withStore(options, async (store) => {
    await findToken(store, id)
    return store.tokens.change(id, { hash: REVOKED_HASH })
  })
  if (options.json) return printJson(forScripts(record))
  print(`token ${id} is revoked; porthouse token regenerate ${id} gives it another secret`)
}

export async function deleteToken(typed: string, options: StoreOptions): Promise<void> {
  const id = tokenId(typed)
  const there = await withStore(options, (store) => store.tokens.delete(id))
  if (!there) throw missingToken(id)
  if (options.json) return printJson({ deleted: id })
  print(`token ${id} is deleted`)
}

/** By a checked id. Throws a Failure where there is none. */
export async function findToken(store: Store, id: string): Promise<TokenRecord> {
  const token = await store.tokens.find(id)
  if (!token) throw missingToken(id)
  return token
}

/** Throws a Failure of usage. */
export function tokenId(typed: string): string {
  return idOf(typed, 'token', 'porthouse token list ACCOUNT shows it')
}

function missingToken(id: string) {
  return missing(`token ${id}`, 'porthouse token list ACCOUNT shows those that are')
}

function tellRights(record: TokenRecord, { json }: StoreOptions): void {
  if (json) return printJson(forScripts(record))
  print(`token ${record.id} may now: ${grantsText(record.grants)}`)
}

function expiryOf(token: TokenRecord): string {
  return isRevoked(token) ? 'revoked' : (token.expiresAt?.toISOString() ?? 'never')
}

function forScripts(token: TokenRecord) {
  const { id, account, client, grants, method, rate, maxConnections, createdAt, expiresAt } = token
  return {
    id,
    account: account.slug,
    ...(client && { client: client.slug }),
    rooms: grants.map(grantForScripts),
    ...(method && { method }),
    ...(rate && { rate }),
    ...(maxConnections !== undefined && { maxConnections }),
    createdAt: createdAt.toISOString(),
    ...(expiresAt && { expiresAt: expiresAt.toISOString() }),
    ...(isRevoked(token) && { revoked: true }),
  }
}
