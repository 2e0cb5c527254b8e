/** `porthouse account …` (R1). */
import type { Account, Store } from '../store/store.ts'
import { nameOf, newSlug } from './names.ts'
import { print, printJson, printTable } from './output.ts'
import { missing, type StoreOptions, withStore } from './with-store.ts'

export async function createAccount(name: string, options: StoreOptions): Promise<void> {
  const slug = newSlug(name, 'account')
  const account = await withStore(options, (store) => store.accounts.create({ slug }))
  if (options.json) return printJson(forScripts(account))
  print(
    `account ${account.slug} is made; give it a room: porthouse room create ${account.slug}/ROOM`,
  )
}

export async function listAccounts(options: StoreOptions): Promise<void> {
  const accounts = await withStore(options, (store) => store.accounts.list())
  if (options.json) return printJson(accounts.map(forScripts))
  printTable(
    ['account', 'id', 'created'],
    accounts.map(({ slug, id, createdAt }) => [slug, id, createdAt.toISOString()]),
  )
}

export async function showAccount(name: string, options: StoreOptions): Promise<void> {
  const account = await withStore(options, (store) => findAccount(store, name))
  if (options.json) return printJson(forScripts(account))
  printTable(['account', account.slug], Object.entries(forScripts(account)))
}

export async function deleteAccount(name: string, options: StoreOptions): Promise<void> {
  const there = await withStore(options, (store) => store.accounts.delete(nameOf(name, 'account')))
  if (!there) throw missingAccount(name)
  if (options.json) return printJson({ deleted: name })
  print(`account ${name} is deleted, with its rooms and tokens`)
}

export async function findAccount(store: Store, name: string): Promise<Account> {
  const account = await store.accounts.find(nameOf(name, 'account'))
  if (!account) throw missingAccount(name)
  return account
}

function missingAccount(name: string) {
  return missing(`account ${name}`, `make it with: porthouse account create ${name}`)
}

function forScripts({ id, slug, createdAt }: Account) {
  return { id, slug, createdAt: createdAt.toISOString() }
}
