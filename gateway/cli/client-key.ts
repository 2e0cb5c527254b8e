/** `porthouse client key …`: SSH keys, passwords and presets (R7). */
import { keepProofs } from '../identity/client-proofs.ts'
import { findClient, idsOf, proofParts } from './client.ts'
import { credentialForScripts, printCredentials } from './credentials.ts'
import { usage } from './failure.ts'
import { clientName, idOf } from './names.ts'
import { print, printJson } from './output.ts'
import { type ProofOptions, readProofs } from './proofs.ts'
import { missing, type StoreOptions, withStore } from './with-store.ts'

export async function addKeys(name: string, options: StoreOptions & ProofOptions): Promise<void> {
  clientName(name)
  const proofs = await readProofs(options)
  if (proofs.length === 0) throw usage('say what to add: --ssh-key, --password-stdin or --preset')
  const kept = await withStore(options, async (store) =>
    keepProofs(proofParts(store), idsOf(await findClient(store, name)), proofs),
  )
  if (options.json) return printJson(kept.map(credentialForScripts))
  print(`client ${name} may now prove itself by:`)
  printCredentials(kept)
}

export async function listKeys(name: string, options: StoreOptions): Promise<void> {
  clientName(name)
  const keys = await withStore(options, async (store) => {
    const { account, client } = idsOf(await findClient(store, name))
    return store.credentials.list(account, client)
  })
  if (options.json) return printJson(keys.map(credentialForScripts))
  printCredentials(keys)
}

export async function removeKey(name: string, typed: string, options: StoreOptions): Promise<void> {
  clientName(name)
  const hint = `porthouse client key list ${name} shows it`
  const id = idOf(typed, 'key', hint)
  await withStore(options, async (store) => {
    const record = await findClient(store, name)
    const key = await store.credentials.find(id)
    if (key?.client?.id !== record.id) {
      throw missing(`key ${id} of client ${name}`, hint.replace('it', 'those that are'))
    }
    await store.credentials.delete(id)
  })
  if (options.json) return printJson({ removed: id })
  print(`key ${id} is removed; what is connected by it is dropped`)
}
