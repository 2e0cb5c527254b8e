/** How the password of a CONNECT answers a lock: as the secret that the lock asks for. */
import { isUtf8 } from 'node:buffer'
import { isTokenSecret } from '../../../identity/tokens.ts'
import type { Response } from '../../../locks/acceptor.ts'
import { ANSWER_BYTES_MAX } from '../../../protocol/limits.ts'
import type { Claim } from './claim.ts'

/** Whether it is worth to be looked at: neither absent nor so long that hashing is work (K17). */
export function isPossible(password: Buffer): boolean {
  return password.length > 0 && password.length <= ANSWER_BYTES_MAX
}

/**
 * Which of the acceptors of a lock, the preferred first, it answers, and how. Undefined: it is no
 * answer to any of them. A password that looks like a token's secret is not tried as anything else
 * where a token will do, and nothing else is tried as a token, or each login would count as a wrong
 * answer (K15); but where only a token will do it is.
 */
export function answerOf(
  password: Buffer,
  claim: Claim,
  acceptors: readonly string[],
): readonly [acceptor: string, response: Response] | undefined {
  const isToken = isTokenSecret(password.toString('latin1'))
  const asToken = ['token', { case: 'data', value: password }] as const
  if (isToken && acceptors.includes('token')) return asToken
  for (const acceptor of acceptors) {
    const response = responseTo(acceptor, password, claim)
    if (response) return [acceptor, response]
  }
  return acceptors.includes('token') ? asToken : undefined
}

function responseTo(acceptor: string, password: Buffer, claim: Claim): Response | undefined {
  if (acceptor === 'preset' && claim.kind === 'device') return { case: 'data', value: password }
  if (acceptor !== 'password' || !isUtf8(password)) return undefined
  const typed = password.toString()
  if (claim.kind === 'device') return responses(typed)
  if (claim.kind !== 'account' || claim.client === undefined) return undefined
  return responses(`client:${claim.account}/${claim.client}`, typed)
}

function responses(...values: string[]): Response {
  return { case: 'responses', value: { $typeName: 'porthouse.v1.Responses', values } }
}
