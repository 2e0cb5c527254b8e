/** The `token` acceptor: the answer is a token's secret, as text or as its bytes (R33). */
import { Code } from '@porthouse/proto/v1/code'
import { proveToken, type TokenProof } from '../../identity/tokens.ts'
import type { Acceptor, LockStep, Place } from '../acceptor.ts'
import { isNamed, tokenProof } from '../proof.ts'
import type { AcceptorParts } from './index.ts'
import { NO_OPTIONS } from './options.ts'
import { isOfPlace } from './proved.ts'
import { failed, WRONG } from './steps.ts'

export function tokenAcceptor({
  store,
  tokens = store.tokens,
}: Pick<AcceptorParts, 'store' | 'tokens'>): Acceptor<undefined> {
  return {
    name: 'token',
    ...NO_OPTIONS,
    nominable: true,
    prompt: true,
    finished: ({ proofs, place }) =>
      proofs.some(({ token }) => token && isNamed(token.account, place?.account)),
    begin: () => ({ outcome: 'challenge', ask: { case: undefined } }),
    answer(response, { place, now }) {
      if (response.case !== 'text' && response.case !== 'data') return WRONG
      const secret =
        response.case === 'text' ? response.value : Buffer.from(response.value).toString()
      const proved = proveToken(tokens, secret, now)
      return proved instanceof Promise
        ? proved.then((late) => stepOf(late, place))
        : stepOf(proved, place)
    },
  }
}

function stepOf(proved: TokenProof, place: Place | undefined): LockStep {
  if (proved.outcome === 'unknown') return WRONG
  if (proved.outcome === 'expired') return failed(Code.TOKEN_EXPIRED)
  const { record: token } = proved
  // Another account's token proves nothing here, and is not told from one that does not exist.
  if (!isOfPlace(token.account, place)) return WRONG
  return { outcome: 'passed', proof: tokenProof(token) }
}
