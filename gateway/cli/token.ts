/** `porthouse token …` (R33). */
import { randomBytes, randomUUID } from 'node:crypto'
import { newToken } from '../identity/tokens.ts'
import type { Store, TokenRecord } from '../store/store.ts'
import { findAccount } from './account.ts'
import { usage } from './failure.ts'
import { nameOf, newSlug } from './names.ts'
import { print, printJson, printTable } from './output.ts'
import { parseExpiry } from './quantity.ts'
import { missing, type StoreOptions, withStore } from './with-store.ts'

interface CreateOptions extends StoreOptions {
  /** ROOM:RIGHTS each. */
  readonly room: readonly string[]
  readonly client?: string
  readonly expires?: string
}

type Grant = Parameters<Store['tokens']['create']>[0]['grants'][number]

export async function createToken(account: string, options: CreateOptions): Promise<void> {
  nameOf(account, 'account')
  const grants = options.room.map((typed) => parseGrant(typed, account))
  const client = options.client && newSlug(options.client, 'client')
  const expiresAt = options.expires && parseExpiry(options.expires, Date.now())
  const { record, secret } = await withStore(options, async (store) => {
    await findAccount(store, account)
    for (const { room } of grants) {
      if (!(await store.rooms.find(account, room))) {
        throw missing(
          `room ${account}/${room}`,
          `make it with: porthouse room create ${account}/${room}`,
        )
      }
    }
    return makeToken(store, {
      account,
      grants,
      ...(client && { client }),
      ...(expiresAt && { expiresAt }),
    })
  })
  if (options.json) return printJson({ ...forScripts(record), secret })
  print(`token ${record.id} is made; its secret is shown this once:`)
  print(secret)
}

/** Makes a token and tells its secret, which is not kept. */
export async function makeToken(
  store: Store,
  wanted: { account: string; client?: string; expiresAt?: Date; grants: Grant[] },
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
    tokens.map((one) => [one.id, grantsOf(one), one.client?.slug ?? '-', expiryOf(one) ?? 'never']),
  )
}

export async function showToken(id: string, options: StoreOptions): Promise<void> {
  const token = await withStore(options, (store) => store.tokens.find(tokenId(id)))
  if (!token) throw missingToken(id)
  if (options.json) return printJson(forScripts(token))
  printTable(
    ['token', token.id],
    [
      ['account', token.account.slug],
      ['rooms', grantsOf(token)],
      ['client', token.client?.slug ?? '-'],
      ['created', token.createdAt.toISOString()],
      ['expires', expiryOf(token) ?? 'never'],
    ],
  )
}

export async function deleteToken(id: string, options: StoreOptions): Promise<void> {
  const there = await withStore(options, (store) => store.tokens.delete(tokenId(id)))
  if (!there) throw missingToken(id)
  if (options.json) return printJson({ deleted: id })
  print(`token ${id} is deleted`)
}

/** ROOM:RIGHTS, with or without the token's own account before the room. */
function parseGrant(typed: string, account: string): Grant {
  const match = /^(?:room:)?(?:([^/:]+)\/)?([^/:]+):([a-z,]+)$/.exec(typed)
  const rights = match?.[3]?.split(',') ?? []
  if (!match || !rights.every((right) => right === 'send' || right === 'receive')) {
    throw usage(`--room ${typed} is not of the form ROOM:send,receive (or ROOM:send, ROOM:receive)`)
  }
  if (match[1] && match[1] !== account) {
    throw usage(`--room ${typed} is a room of ${match[1]}; a token has rooms of its own account`)
  }
  const room = nameOf(match[2]!, 'room')
  return { room, send: rights.includes('send'), receive: rights.includes('receive') }
}

function tokenId(id: string): string {
  if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id)) {
    throw usage(`the token is not given by its id, a UUID; porthouse token list ACCOUNT shows it`)
  }
  return id.toLowerCase()
}

function missingToken(id: string) {
  return missing(`token ${id}`, 'porthouse token list ACCOUNT shows those that are')
}

function grantsOf({ grants }: TokenRecord): string {
  return grants.map(({ room, ...may }) => `${room}:${rightsOf(may).join(',')}`).join(' ')
}

function rightsOf(may: { send: boolean; receive: boolean }): string[] {
  return [...(may.send ? ['send'] : []), ...(may.receive ? ['receive'] : [])]
}

function expiryOf({ expiresAt }: TokenRecord): string | undefined {
  return expiresAt?.toISOString()
}

function forScripts(token: TokenRecord) {
  const expiresAt = expiryOf(token)
  return {
    id: token.id,
    account: token.account.slug,
    ...(token.client && { client: token.client.slug }),
    rooms: token.grants.map(({ room, send, receive }) => ({ room, send, receive })),
    createdAt: token.createdAt.toISOString(),
    ...(expiresAt && { expiresAt }),
  }
}
