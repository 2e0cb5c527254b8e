/** What clients prove themselves by: listed, given and taken (R7). */
import { create } from '@bufbuild/protobuf'
import { EmptySchema } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import {
  type ClientService,
  type Credential,
  CredentialSchema,
} from '@porthouse/proto/admin/v1/client_service'
import { checkNew, fingerprintOf, keepProofs, type NewProof } from '../../identity/client-proofs.ts'
import type { Credential as Kept } from '../../store/store.ts'
import { callOf, type State } from '../calls/call.ts'
import { shownTimes } from '../fields.ts'
import { segments, unknownResource } from '../names.ts'
import type { AdminParts } from '../parts.ts'
import { readPosition, type WrittenPosition, writtenPosition } from '../positions.ts'
import { proofOf, shownKind } from './proofs.ts'
import { theClient } from './records.ts'

type Methods = 'listCredentials' | 'createCredential' | 'deleteCredential'

export function credentialMethods(
  parts: AdminParts,
): Pick<ServiceImpl<typeof ClientService>, Methods> {
  const { store, pages, clock, newId } = parts
  const { clients, credentials } = store
  return {
    async listCredentials(request, context) {
      const query = ['credentials', request.parent, callOf(context).principal.id]
      const page = pages.page<WrittenPosition>(request, query)
      const { id, account } = await theClient(clients, request.parent)
      const part = { after: readPosition(page.after), limit: page.limit + 1 }
      const found = await credentials.list(account.id, id, part)
      const { items, nextPageToken } = pages.cut(found, page, query, writtenPosition)
      return { credentials: items.map(shown), nextPageToken }
    },

    async createCredential({ parent, credential, validateOnly }, context) {
      const client = await theClient(clients, parent)
      const proof = await proofOf(parts, credential!, 'credential')
      const owner = { account: client.account.id, client: client.id }
      if (validateOnly) {
        checkNew(await credentials.list(owner.account, owner.client), [proof])
        return shown({ ...proof, createdAt: new Date(clock()) })
      }
      const [kept] = await keepProofs({ credentials, newId }, owner, [proof])
      callOf(context).changed = { after: state(kept!) }
      return shown(kept!)
    },

    async deleteCredential({ name, validateOnly }, context) {
      const [account, client, id] = segments('accounts/*/clients/*/credentials/*', name)
      const owner = await clients.find(account!, client!)
      const found = await credentials.find(id!)
      if (!owner || found?.client?.id !== owner.id) throw unknownResource(name)
      if (!validateOnly) {
        if (!(await credentials.delete(found.id))) throw unknownResource(name)
        callOf(context).changed = { before: state(found) }
      }
      return create(EmptySchema)
    },
  }
}

/** Nothing that it is checked with. What is not kept yet has no name. */
function shown(credential: Kept | (NewProof & { readonly createdAt: Date })): Credential {
  return create(CredentialSchema, {
    name: 'id' in credential ? nameOf(credential) : '',
    kind: shownKind(credential.kind),
    label: credential.label,
    fingerprint: fingerprintOf(credential) ?? '',
    ...shownTimes(credential),
  })
}

function nameOf({ id, account, client }: Kept): string {
  return `accounts/${account.slug}/clients/${client?.slug}/credentials/${id}`
}

function state(credential: Kept): State {
  return { schema: CredentialSchema, message: shown(credential) }
}
