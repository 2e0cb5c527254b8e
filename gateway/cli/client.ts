/** `porthouse client …`: identities within an account, and what they may do (R8). */
import { randomUUID } from 'node:crypto'
import { keepProofs, type NewProof, type ProofParts } from '../identity/client-proofs.ts'
import type { ClientRecord, Credential, Store } from '../store/store.ts'
import { credentialForScripts, printCredentials } from './credentials.ts'
import { findAccount } from './find-account.ts'
import {
  again,
  grantForScripts,
  grantsIn,
  grantsText,
  grantsWithout,
  parseGrant,
  type TypedGrant,
} from './grants.ts'
import { clientName, nameOf, newSlug } from './names.ts'
import { print, printJson, printTable } from './output.ts'
import { type ProofOptions, readProofs } from './proofs.ts'
import { parseSockets } from './quantity.ts'
import { missing, type StoreOptions, withStore } from './with-store.ts'

interface CreateOptions extends StoreOptions, ProofOptions {
  /** ROOM:RIGHTS each. */
  readonly room?: readonly string[]
  readonly maxSockets?: string
}

interface Wanted {
  readonly account: string
  readonly slug: string
  readonly rights: readonly TypedGrant[]
  readonly proofs: readonly NewProof[]
  readonly maxSockets?: number
}

interface Made {
  readonly record: ClientRecord
  readonly keys: readonly Credential[]
}

export async function createClient(name: string, options: CreateOptions): Promise<void> {
  const { account, client } = clientName(name)
  const slug = newSlug(client, 'client')
  const { maxSockets: most } = options
  const wanted = {
    account,
    slug,
    rights: (options.room ?? []).map(parseGrant),
    ...(most !== undefined && { maxSockets: parseSockets('--max-sockets', most) }),
    proofs: await readProofs(options),
  }
  const made = await withStore(options, (store) => makeClient(store, wanted))
  if (options.json) return printJson(withKeys(made))
  print(`client ${addressOf(made.record)} is made; it may: ${grantsText(made.record.grants)}`)
  if (made.keys.length > 0) return printCredentials(made.keys)
  print(`it cannot prove itself yet; give it a key:`)
  print(`  porthouse client key add ${addressOf(made.record)} --ssh-key FILE.pub`)
}

async function makeClient(store: Store, { rights, proofs, ...client }: Wanted): Promise<Made> {
  const account = await findAccount(store, client.account)
  const grants = await grantsIn(store, account, rights)
  const record = await store.clients.create({ ...client, account: account.id, grants })
  try {
    return { record, keys: await keepProofs(proofParts(store), idsOf(record), proofs) }
  } catch (error) {
    // All of it, or nothing, so that the same command may be tried again.
    await store.clients.delete(account.id, record.id).catch(() => false)
    throw error
  }
}

export async function listClients(account: string, options: StoreOptions): Promise<void> {
  const clients = await withStore(options, async (store) =>
    store.clients.list((await findAccount(store, account)).id),
  )
  if (options.json) return printJson(clients.map(forScripts))
  printTable(
    ['client', 'id', 'rooms', 'sockets', 'created'],
    clients.map((one) => [
      addressOf(one),
      one.id,
      grantsText(one.grants),
      socketsOf(one),
      one.createdAt.toISOString(),
    ]),
  )
}

export async function showClient(name: string, options: StoreOptions): Promise<void> {
  const found = await withStore(options, async (store) => {
    const record = await findClient(store, name)
    return { record, keys: await store.credentials.list(record.account.id, record.id) }
  })
  if (options.json) return printJson(withKeys(found))
  const { record, keys } = found
  printTable(
    ['client', addressOf(record)],
    [
      ['id', record.id],
      ['rooms', grantsText(record.grants)],
      ['sockets', socketsOf(record)],
      ['created', record.createdAt.toISOString()],
    ],
  )
  if (keys.length > 0) printCredentials(keys)
}

export async function deleteClient(name: string, options: StoreOptions): Promise<void> {
  const { account, client } = clientName(name)
  const there = await withStore(options, (store) => store.clients.delete(account, client))
  if (!there) throw missingClient(name)
  if (options.json) return printJson({ deleted: name })
  print(`client ${name} is deleted, with its keys and tokens`)
}

export async function grantClient(
  name: string,
  options: StoreOptions & { readonly room: readonly string[] },
): Promise<void> {
  clientName(name)
  const rights = options.room.map(parseGrant)
  const record = await withStore(options, async (store) => {
    const { id, account, grants } = await findClient(store, name)
    const more = await grantsIn(store, account, rights)
    return store.clients.change(account.id, id, { grants: [...grants.map(again), ...more] })
  })
  tellRights(record, options)
}

export async function revokeRoom(
  name: string,
  typed: string,
  options: StoreOptions,
): Promise<void> {
  clientName(name)
  const room = nameOf(typed, 'room')
  const record = await withStore(options, async (store) => {
    const { id, account, grants } = await findClient(store, name)
    const left = grantsWithout(grants, room, `client ${name}`)
    return store.clients.change(account.id, id, { grants: left })
  })
  tellRights(record, options)
}

/** By ACCOUNT/CLIENT. Throws a Failure where there is none. */
export async function findClient(store: Store, name: string): Promise<ClientRecord> {
  const { account, client } = clientName(name)
  const found = await store.clients.find(account, client)
  if (!found) throw missingClient(name)
  return found
}

function missingClient(name: string) {
  return missing(`client ${name}`, `make it with: porthouse client create ${name}`)
}

function tellRights(record: ClientRecord, { json }: StoreOptions): void {
  if (json) return printJson(forScripts(record))
  print(`client ${addressOf(record)} may now: ${grantsText(record.grants)}`)
}

export function proofParts({ credentials }: Store): ProofParts {
  return { credentials, newId: randomUUID }
}

export function idsOf({ id, account }: ClientRecord): { account: string; client: string } {
  return { account: account.id, client: id }
}

function addressOf({ account, slug }: ClientRecord): string {
  return `${account.slug}/${slug}`
}

function socketsOf({ maxSockets }: ClientRecord): string {
  return maxSockets === undefined ? 'any' : String(maxSockets)
}

function withKeys({ record, keys }: Made) {
  return { ...forScripts(record), keys: keys.map(credentialForScripts) }
}

function forScripts(record: ClientRecord) {
  const { id, account, slug, grants, maxSockets, createdAt } = record
  return {
    id,
    address: `client:${addressOf(record)}`,
    account: account.slug,
    slug,
    rooms: grants.map(grantForScripts),
    ...(maxSockets !== undefined && { maxSockets }),
    createdAt: createdAt.toISOString(),
  }
}
