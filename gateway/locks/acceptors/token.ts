/** The `token` acceptor: the answer is a token's secret, as text or as its bytes. */
import { Code } from '@porthouse/proto/v1/code'
import { proveToken } from '../../identity/tokens.ts'
import type { TokenRecord, Tokens } from '../../store/store.ts'
import type { Acceptor, Proved } from '../acceptor.ts'

export function tokenAcceptor(tokens: Tokens, clock: () => number): Acceptor {
  return {
    name: 'token',
    finished: (proofs, account) => proofs.tokens.some((token) => isOf(token, account)),
    async verify(response, account): Promise<Proved> {
      const secret = typeof response === 'string' ? response : Buffer.from(response).toString()
      const proof = await proveToken(tokens, secret, clock())
      if (proof.outcome === 'unknown') return failed(Code.UNAUTHENTICATED)
      if (proof.outcome === 'expired') return failed(Code.TOKEN_EXPIRED)
      const { token } = proof
      // Another account's token proves nothing here, and is not told from one that does not exist.
      if (account !== undefined && !isOf(token, account)) return failed(Code.UNAUTHENTICATED)
      const values: Record<string, string> = { token: token.id }
      if (token.client) values.client = `client:${token.account.slug}/${token.client.slug}`
      return { verification: { outcome: 'passed', values }, token }
    },
  }
}

function isOf({ account }: TokenRecord, name: string): boolean {
  return account.slug === name || account.id === name
}

function failed(code: Code): Proved {
  return { verification: { outcome: 'failed', code } }
}
