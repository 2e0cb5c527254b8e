/** In whose name somebody without a socket sends and reads (R6): what his credentials prove. */
import { Role } from '@porthouse/proto/admin/v1/options'
import { Code } from '@porthouse/proto/v1/code'
import { type Named, type Proof, tokenProof } from '../../locks/proof.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { TokenRecord } from '../../store/store.ts'

/** Whose credentials a request carries. */
export interface Bearer {
  /** One for each of the credentials, for instance `tokens/{uuid}`. */
  readonly id: string
  readonly role: Role
  /** The one that it is within; absent: all of them. */
  readonly account?: Named
  readonly token?: TokenRecord
}

export interface Author {
  /** Whose messages are in one order, and whose idempotency keys are one set, unless a client's. */
  readonly key: string
  readonly proof: Proof
}

/** `account`: whom an operator speaks for. Throws Refusal for a bearer who has no voice. */
export function authorOf({ id, role, account, token }: Bearer, owner: Named | undefined): Author {
  if (token) return { key: `token:${token.id}`, proof: tokenProof(token) }
  if (account && (role === Role.OWNER || role === Role.ADMIN)) {
    return { key: id, proof: ownerProof(account) }
  }
  if (role === Role.OPERATOR && owner) {
    return { key: `${id}/${owner.id}`, proof: ownerProof(owner) }
  }
  throw new Refusal(Code.ROLE_NOT_PERMITTED, 'an auditor neither sends nor reads messages')
}

/** What speaks for an account itself. */
function ownerProof(account: Named): Proof {
  return { acceptor: 'api-key', values: {}, account, owner: true, unbarred: true, grants: [] }
}

/** Names of the accounts that addresses are of, as written; of a socket's nobody can tell. */
export function accountsIn(to: readonly string[]): string[] {
  const names = to.flatMap((address) => {
    const [, account] = /^(?:room|client|group):([^/]+)/.exec(address) ?? []
    return account === undefined ? [] : [account]
  })
  return [...new Set(names)]
}
