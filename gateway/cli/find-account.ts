/** An account of the store, by name. */
import type { Account, Store } from '../store/store.ts'
import { nameOf } from './names.ts'
import { missing } from './with-store.ts'

export async function findAccount(store: Store, name: string): Promise<Account> {
  const account = await store.accounts.find(nameOf(name, 'account'))
  if (account) return account
  throw missing(`account ${name}`, `make it with: porthouse account create ${name}`)
}
