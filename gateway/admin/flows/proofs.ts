/** What a socket of a dry run has proved, as what is stored would have it (R18). */
import type { ExplainFlowRequest } from '@porthouse/proto/admin/v1/flow_service'
import { Code } from '@porthouse/proto/v1/code'
import { isExpired } from '../../identity/expiry.ts'
import { ownerProof } from '../../locks/acceptors/key.ts'
import { passedBy } from '../../locks/acceptors/steps.ts'
import { clientAddress, isNamed, type Proof, tokenProof } from '../../locks/proof.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Store } from '../../store/store.ts'
import { CLIENT, segments, TOKEN, unknownResource } from '../names.ts'

/** Names no acceptor there is: a client that has nothing to prove itself by. */
const NONE = 'none'

/**
 * `account`: of the place. Rejects with Refusal where there is no such client or token, or nothing
 * that could be proved.
 */
export async function proofsOf(
  store: Store,
  account: string,
  { client, token, owner }: Pick<ExplainFlowRequest, 'client' | 'token' | 'owner'>,
  now: number,
): Promise<Proof[]> {
  return [
    ...(client === '' ? [] : await clientProofs(store, client, now)),
    ...(token === '' ? [] : [await byToken(store, token, now)]),
    ...(owner ? [await byKey(store, account, now)] : []),
  ]
}

/** Who a proof says that the socket is, and by which acceptor. */
export function nameOfProof({ acceptor, values, token, owner }: Proof): string {
  const who = token ? `token:${token.id}` : owner ? `account ${values.account}` : values.client
  return acceptor === NONE ? `${who}` : `${who} (${acceptor})`
}

/** By all that it is known by. */
async function clientProofs(store: Store, name: string, now: number): Promise<Proof[]> {
  const [owner = '', slug = ''] = segments(CLIENT, name, 'client')
  const record = await store.clients.find(owner, slug)
  if (!record) throw unknownResource(name)
  const { id, account, grants } = record
  const credentials = await store.credentials.list(account.id, id)
  const proofs = credentials.flatMap((credential) => {
    const step = passedBy(credential.kind, record, credential, now)
    return step.outcome === 'passed' ? [step.proof] : []
  })
  if (proofs.length > 0) return proofs
  const values = { client: clientAddress(account, record) }
  return [{ acceptor: NONE, values, account, client: { id, slug: record.slug }, grants }]
}

async function byToken(store: Store, name: string, now: number): Promise<Proof> {
  const [account, id = ''] = segments(TOKEN, name, 'token')
  const token = await store.tokens.find(id)
  if (!token || !isNamed(token.account, account)) throw unknownResource(name)
  if (isExpired(token, now)) throw unsuitable('the token has expired; it proves nothing any more')
  return tokenProof(token)
}

async function byKey(store: Store, account: string, now: number): Promise<Proof> {
  const keys = await store.credentials.list(account)
  const key = keys.find((each) => each.kind === 'connection-key' && !isExpired(each, now))
  if (key) return ownerProof(key)
  throw unsuitable('the account has no connection key that could be proved')
}

function unsuitable(detail: string): Refusal {
  return new Refusal(Code.STATE_UNSUITABLE, detail)
}
