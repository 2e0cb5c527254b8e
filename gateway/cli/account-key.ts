/** `porthouse account key …`: connection keys, by which a program is the account itself (R1). */
import { randomBytes, randomUUID } from 'node:crypto'
import { type KeyParts, type MadeKey, makeKey, replaceKey } from '../identity/account-keys.ts'
import type { Credential, Store } from '../store/store.ts'
import { type CredentialRow, credentialForScripts, printCredentials } from './credentials.ts'
import { usage } from './failure.ts'
import { findAccount } from './find-account.ts'
import { checkLabel } from './label.ts'
import { idOf, nameOf } from './names.ts'
import { print, printJson } from './output.ts'
import { parseExpiry, parseOverlap } from './quantity.ts'
import { missing, type StoreOptions, withStore } from './with-store.ts'

interface CreateOptions extends StoreOptions {
  readonly label?: string
  readonly expires?: string
}

interface RotateOptions extends StoreOptions {
  readonly overlap: string
  readonly expires?: string
}

export async function createKey(account: string, options: CreateOptions): Promise<void> {
  nameOf(account, 'account')
  const label = checkLabel(options.label ?? '')
  const expiresAt = options.expires ? parseExpiry(options.expires, Date.now()) : undefined
  const made = await withStore(options, async (store) => {
    const { id } = await findAccount(store, account)
    return makeKey(partsOf(store), { account: id, label, ...(expiresAt && { expiresAt }) })
  })
  if (options.json) return printJson(forScripts(made))
  print(`key ${made.record.id} is made; its secret is shown this once:`)
  print(made.secret)
}

export async function listKeys(account: string, options: StoreOptions): Promise<void> {
  const keys = await withStore(options, async (store) => {
    const { id } = await findAccount(store, account)
    return store.credentials.list(id)
  })
  if (options.json) return printJson(keys.map((key) => credentialForScripts(key)))
  printCredentials(keys)
}

export async function rotateKey(
  account: string,
  typed: string,
  options: RotateOptions,
): Promise<void> {
  const now = Date.now()
  const id = keyId(account, typed)
  const ends = now + parseOverlap(options.overlap)
  const expiresAt = options.expires ? parseExpiry(options.expires, now) : undefined
  const { made, old } = await withStore(options, async (store) => {
    const before = await findKey(store, account, id)
    const last = before.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY
    if (last <= now) {
      throw usage(`key ${id} has ended; make another: porthouse account key create ${account}`)
    }
    return replaceKey(partsOf(store), before, { end: new Date(ends), expiresAt })
  })
  if (options.json) return printJson({ ...forScripts(made), replaces: credentialForScripts(old) })
  const end = old.expiresAt!.toISOString()
  print(`key ${made.record.id} is made in place of ${id}, which ends at ${end}; its secret:`)
  print(made.secret)
}

export async function revokeKey(
  account: string,
  typed: string,
  options: StoreOptions,
): Promise<void> {
  const id = keyId(account, typed)
  await withStore(options, async (store) => {
    await findKey(store, account, id)
    await store.credentials.delete(id)
  })
  if (options.json) return printJson({ revoked: id })
  print(`key ${id} is revoked; what is connected by it is dropped`)
}

function partsOf({ credentials }: Store): KeyParts {
  return { credentials, random: randomBytes, newId: randomUUID }
}

async function findKey(store: Store, account: string, id: string): Promise<Credential> {
  const owner = await findAccount(store, account)
  const key = await store.credentials.find(id)
  if (key?.kind !== 'connection-key' || key.account.id !== owner.id) {
    throw missing(
      `key ${id} of account ${owner.slug}`,
      `porthouse account key list ${owner.slug} shows those that are`,
    )
  }
  return key
}

function keyId(account: string, typed: string): string {
  const name = nameOf(account, 'account')
  return idOf(typed, 'key', `porthouse account key list ${name} shows it`)
}

function forScripts({ record, secret }: MadeKey): CredentialRow & { secret: string } {
  return { ...credentialForScripts(record), secret }
}
