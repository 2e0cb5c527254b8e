/** `porthouse client …`: identities within an account, and what they may do (R8). */
import {
  type Client,
  ClientService,
  type Credential,
} from '@porthouse/proto/admin/v1/client_service'
import type { Grant } from '@porthouse/proto/admin/v1/grant'
import { credentialForScripts, printCredentials } from '../credentials.ts'
import {
  grantForScripts,
  grantsText,
  grantsWithout,
  type NewGrant,
  parseGrants,
} from '../grants.ts'
import { clientName, newSlug } from '../names.ts'
import { print, printJson, printTable } from '../output.ts'
import { parseSockets } from '../quantity.ts'
import { accountResource, addressOf, clientResource, idIn, timeOf } from '../resource.ts'
import { type Admin, type AdminOptions, everyOf, unlessStale, withAdmin } from '../with-admin.ts'
import { credentialsOf } from './key.ts'
import { type ProofOptions, readProofs } from './proofs.ts'

interface CreateOptions extends AdminOptions, ProofOptions {
  /** ROOM:RIGHTS each. */
  readonly room?: readonly string[]
  readonly maxSockets?: string
}

interface WithKeys {
  readonly client: Client
  readonly keys: readonly Credential[]
}

export async function createClient(typed: string, options: CreateOptions): Promise<void> {
  const { account, client: slug } = clientName(typed)
  const clientId = newSlug(slug, 'client')
  const { maxSockets: most, room = [] } = options
  const client = {
    grants: parseGrants(account, room),
    ...(most !== undefined && { maxSockets: parseSockets('--max-sockets', most) }),
  }
  const credentials = await readProofs(options)
  const request = { parent: accountResource(account), clientId, client, credentials }
  const made = await withAdmin(options, async (admin) =>
    withKeys(admin, await admin(ClientService).createClient(request)),
  )
  if (options.json) return printJson(allForScripts(made))
  const name = addressOf(made.client.name)
  print(`client ${name} is made; it may: ${grantsText(made.client.grants)}`)
  if (made.keys.length > 0) return printCredentials(made.keys.map(credentialForScripts))
  print(`it cannot prove itself yet; give it a key:`)
  print(`  porthouse client key add ${name} --ssh-key FILE.pub`)
}

export async function listClients(account: string, options: AdminOptions): Promise<void> {
  const parent = accountResource(account)
  const clients = await withAdmin(options, (admin) =>
    everyOf(
      (page) => admin(ClientService).listClients({ parent, ...page }),
      (page) => page.clients,
    ),
  )
  if (options.json) return printJson(clients.map(forScripts))
  printTable(
    ['client', 'id', 'rooms', 'sockets', 'created'],
    clients.map((one) => [
      addressOf(one.name),
      one.uid,
      grantsText(one.grants),
      socketsOf(one),
      timeOf(one.createTime!),
    ]),
  )
}

export async function showClient(typed: string, options: AdminOptions): Promise<void> {
  const name = clientResource(typed)
  const found = await withAdmin(options, async (admin) =>
    withKeys(admin, await admin(ClientService).getClient({ name })),
  )
  if (options.json) return printJson(allForScripts(found))
  const { client, keys } = found
  printTable(
    ['client', addressOf(client.name)],
    [
      ['id', client.uid],
      ['rooms', grantsText(client.grants)],
      ['sockets', socketsOf(client)],
      ['created', timeOf(client.createTime!)],
    ],
  )
  if (keys.length > 0) printCredentials(keys.map(credentialForScripts))
}

export async function updateClient(
  typed: string,
  options: AdminOptions & { readonly maxSockets: string },
): Promise<void> {
  const name = clientResource(typed)
  const { maxSockets: most } = options
  const maxSockets = most === 'any' ? 0 : parseSockets('--max-sockets', most)
  const request = { client: { name, maxSockets }, updateMask: { paths: ['max_sockets'] } }
  const changed = await withAdmin(options, (admin) => admin(ClientService).updateClient(request))
  if (options.json) return printJson(forScripts(changed))
  print(`client ${addressOf(changed.name)} may have ${socketsOf(changed)} sockets`)
}

export async function deleteClient(typed: string, options: AdminOptions): Promise<void> {
  const name = clientResource(typed)
  await withAdmin(options, (admin) => admin(ClientService).deleteClient({ name }))
  if (options.json) return printJson({ deleted: typed })
  print(`client ${typed} is deleted, with its keys and tokens`)
}

export async function grantClient(
  typed: string,
  options: AdminOptions & { readonly room: readonly string[] },
): Promise<void> {
  const more = parseGrants(clientName(typed).account, options.room)
  await changeRights(typed, options, async (grants) => [...grants, ...more])
}

export async function revokeRoom(
  typed: string,
  room: string,
  options: AdminOptions,
): Promise<void> {
  const { account } = clientName(typed)
  await changeRights(typed, options, (grants, admin) =>
    grantsWithout(admin, grants, { account, room, of: `client ${typed}` }),
  )
}

/** Reads them, and writes them back as nobody else has changed them meanwhile. */
async function changeRights(
  typed: string,
  options: AdminOptions,
  change: (grants: readonly Grant[], admin: Admin) => Promise<(Grant | NewGrant)[]>,
): Promise<void> {
  const name = clientResource(typed)
  const changed = await withAdmin(options, (admin) =>
    unlessStale(async () => {
      const { grants: before, etag } = await admin(ClientService).getClient({ name })
      const client = { name, etag, grants: await change(before, admin) }
      return admin(ClientService).updateClient({ client, updateMask: { paths: ['grants'] } })
    }),
  )
  if (options.json) return printJson(forScripts(changed))
  print(`client ${addressOf(changed.name)} may now: ${grantsText(changed.grants)}`)
}

async function withKeys(admin: Admin, client: Client): Promise<WithKeys> {
  return { client, keys: await credentialsOf(admin, client) }
}

function socketsOf({ maxSockets }: Client): string {
  return maxSockets === 0 ? 'any' : String(maxSockets)
}

function allForScripts({ client, keys }: WithKeys) {
  return { ...forScripts(client), keys: keys.map(credentialForScripts) }
}

function forScripts({ name, uid, grants, maxSockets, createTime }: Client) {
  const [account] = addressOf(name).split('/')
  return {
    id: uid,
    address: `client:${addressOf(name)}`,
    account,
    slug: idIn(name),
    rooms: grants.map(grantForScripts),
    ...(maxSockets !== 0 && { maxSockets }),
    createdAt: timeOf(createTime!),
  }
}
