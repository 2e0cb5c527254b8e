/** Clients: listed, shown, made, given other rights, deleted (R8). */
import { create } from '@bufbuild/protobuf'
import { EmptySchema } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import { ClientSchema, type ClientService } from '@porthouse/proto/admin/v1/client_service'
import { Code } from '@porthouse/proto/v1/code'
import { checkNew, keepProofs, type NewProof } from '../../identity/client-proofs.ts'
import { Refusal } from '../../protocol/codes.ts'
import { checkSlug } from '../../protocol/name.ts'
import type { ClientRecord, Clients } from '../../store/store.ts'
import { theAccount } from '../accounts.ts'
import { callOf } from '../calls/call.ts'
import { fieldsOf } from '../fields.ts'
import { given, grantsIn } from '../grants.ts'
import { unknownResource } from '../names.ts'
import type { AdminParts } from '../parts.ts'
import { proofsOf } from './proofs.ts'
import { shown, state, theClient } from './records.ts'

type Methods = 'listClients' | 'getClient' | 'createClient' | 'updateClient' | 'deleteClient'

export function clientMethods(parts: AdminParts): Pick<ServiceImpl<typeof ClientService>, Methods> {
  const { store, pages, clock } = parts
  const { accounts, rooms, clients } = store
  return {
    async listClients(request, context) {
      const query = ['clients', request.parent, callOf(context).principal.id]
      const page = pages.page<string>(request, query)
      const { id } = await theAccount(accounts, request.parent)
      const found = await clients.list(id, { after: page.after, limit: page.limit + 1 })
      const { items, nextPageToken } = pages.cut(found, page, query, ({ slug }) => slug)
      return { clients: items.map(shown), nextPageToken }
    },

    async getClient({ name }) {
      return shown(await theClient(clients, name))
    },

    async createClient({ parent, clientId: slug, client, credentials, validateOnly }, context) {
      checkSlug(slug, 'client')
      const account = await theAccount(accounts, parent)
      if (await clients.find(account.id, slug)) {
        throw new Refusal(Code.RESOURCE_EXISTS, 'that client exists already')
      }
      const grants = await grantsIn(rooms, account, client?.grants ?? [], 'client.grants')
      const proofs = await proofsOf(parts, credentials)
      checkNew([], proofs)
      const wanted = { slug, ...(client?.maxSockets && { maxSockets: client.maxSockets }) }
      if (validateOnly) return shown({ ...wanted, account, grants, createdAt: new Date(clock()) })
      const record = { ...wanted, account: account.id, grants: grants.map(given) }
      const made = await make(parts, record, proofs)
      callOf(context).changed = { after: state(made) }
      return shown(made)
    },

    async updateClient({ client, updateMask, validateOnly }, context) {
      const { name, etag, maxSockets } = client!
      const fields = fieldsOf(updateMask, ClientSchema, client!, ['grants', 'max_sockets'])
      const before = await theClient(clients, name, etag)
      const most = fields.has('max_sockets') ? { maxSockets } : {}
      const grants = fields.has('grants')
        ? await grantsIn(rooms, before.account, client!.grants, 'client.grants')
        : undefined
      if (validateOnly) return shown({ ...before, ...most, ...(grants && { grants }) })
      const to = {
        ...(fields.has('max_sockets') && { maxSockets: maxSockets || null }),
        ...(grants && { grants: grants.map(given) }),
      }
      const expected = etag === '' ? undefined : before.version
      const after = await clients.change(before.account.id, before.id, to, expected)
      callOf(context).changed = { before: state(before), after: state(after) }
      return shown(after)
    },

    async deleteClient({ name, etag, validateOnly }, context) {
      const before = await theClient(clients, name, etag)
      if (!validateOnly) {
        const expected = etag === '' ? undefined : before.version
        const gone = await clients.delete(before.account.id, before.id, expected)
        if (!gone) throw unknownResource(name)
        callOf(context).changed = { before: state(before) }
      }
      return create(EmptySchema)
    },
  }
}

/** All of it, or nothing, so that the same call may be tried again. */
async function make(
  { store: { clients, credentials }, newId }: AdminParts,
  wanted: Parameters<Clients['create']>[0],
  proofs: readonly NewProof[],
): Promise<ClientRecord> {
  const made = await clients.create(wanted)
  const owner = { account: made.account.id, client: made.id }
  try {
    await keepProofs({ credentials, newId }, owner, proofs)
    return made
  } catch (error) {
    await clients.delete(owner.account, owner.client).catch(() => false)
    throw error
  }
}
