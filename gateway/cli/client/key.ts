/** `porthouse client key …`: SSH keys, passwords and presets (R7). */
import {
  type Client,
  ClientService,
  type Credential,
} from '@porthouse/proto/admin/v1/client_service'
import { credentialForScripts, printCredentials } from '../credentials.ts'
import { usage } from '../failure.ts'
import { idOf } from '../names.ts'
import { print, printJson } from '../output.ts'
import { clientResource } from '../resource.ts'
import { type Admin, type AdminOptions, everyOf, withAdmin } from '../with-admin.ts'
import { type ProofOptions, readProofs } from './proofs.ts'

export async function addKeys(typed: string, options: AdminOptions & ProofOptions): Promise<void> {
  const parent = clientResource(typed)
  const credentials = await readProofs(options)
  if (credentials.length === 0) {
    throw usage('say what to add: --ssh-key, --password-stdin or --preset')
  }
  const kept = await withAdmin(options, async (admin) => {
    const calls = credentials.map((credential) => ({ parent, credential }))
    const { createCredential } = admin(ClientService)
    // None is kept where one of them is no good.
    if (calls.length > 1) {
      for (const call of calls) await createCredential({ ...call, validateOnly: true })
    }
    const kept: Credential[] = []
    for (const call of calls) kept.push(await createCredential(call))
    return kept
  })
  const rows = kept.map(credentialForScripts)
  if (options.json) return printJson(rows)
  print(`client ${typed} may now prove itself by:`)
  printCredentials(rows)
}

export async function listKeys(typed: string, options: AdminOptions): Promise<void> {
  const name = clientResource(typed)
  const keys = await withAdmin(options, (admin) => credentialsOf(admin, { name }))
  const rows = keys.map(credentialForScripts)
  if (options.json) return printJson(rows)
  printCredentials(rows)
}

export async function removeKey(typed: string, key: string, options: AdminOptions): Promise<void> {
  const id = idOf(key, 'key', `porthouse client key list ${typed} shows it`)
  const name = `${clientResource(typed)}/credentials/${id}`
  await withAdmin(options, (admin) => admin(ClientService).deleteCredential({ name }))
  if (options.json) return printJson({ removed: id })
  print(`key ${id} is removed; what is connected by it is dropped`)
}

/** All that a client proves itself by. */
export function credentialsOf(
  admin: Admin,
  { name: parent }: Pick<Client, 'name'>,
): Promise<Credential[]> {
  return everyOf(
    (page) => admin(ClientService).listCredentials({ parent, ...page }),
    (page) => page.credentials,
  )
}
