/** Clients as they are found, and as they are shown. */
import { create } from '@bufbuild/protobuf'
import { type Client, ClientSchema } from '@porthouse/proto/admin/v1/client_service'
import type { Account, ClientRecord, Clients } from '../../store/store.ts'
import type { State } from '../calls/call.ts'
import { checkEtag, etagOf } from '../etags.ts'
import { shownTimes } from '../fields.ts'
import { shownGrants } from '../grants.ts'
import { CLIENT, segments, unknownResource } from '../names.ts'

/**
 * By its name as a resource, as it was when it had that etag, if one is given. Rejects with Refusal
 * RESOURCE_UNKNOWN or ETAG_STALE.
 */
export async function theClient(clients: Clients, name: string, etag = ''): Promise<ClientRecord> {
  const [account, client] = segments(CLIENT, name)
  const found = await clients.find(account!, client!)
  if (!found) throw unknownResource(name)
  checkEtag(etag, etagOf(found.id, found.version))
  return found
}

/** One that is to be made, or is made and has an id and a version. */
type Shown = Omit<ClientRecord, 'id' | 'account' | 'version'> & {
  readonly id?: string
  readonly account: Pick<Account, 'slug'>
  readonly version?: number
}

export function shown({ id = '', account, slug, version, ...client }: Shown): Client {
  const { grants, maxSockets = 0 } = client
  return create(ClientSchema, {
    name: `accounts/${account.slug}/clients/${slug}`,
    uid: id,
    grants: shownGrants(account, grants),
    maxSockets,
    etag: version === undefined ? '' : etagOf(id, version),
    ...shownTimes(client),
  })
}

export function state(client: ClientRecord): State {
  return { schema: ClientSchema, message: shown(client) }
}
