/**
 * The `cookie` acceptor: the cookie of a browser that has logged in, which proves its client; or a
 * secret cookie by name, which proves nobody in particular (R7).
 */
import { Code } from '@porthouse/proto/v1/code'
import { z } from 'zod'
import { isExpired } from '../../identity/expiry.ts'
import { cookieOf, findLogin } from '../../identity/logins.ts'
import { isSha256Of } from '../../identity/sha256.ts'
import type { Acceptor, LockContext, LockStep } from '../acceptor.ts'
import type { Proof } from '../proof.ts'
import type { AcceptorParts } from './index.ts'
import { optionsOf, sha256Hex } from './options.ts'
import { isOfPlace, isProved } from './proved.ts'
import { failed, passedAs, passedHere, WRONG } from './steps.ts'

/** RFC 6265 section 4.1.1: a token. */
const COOKIE_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/

const OPTIONS = z
  .strictObject({
    name: z.string().regex(COOKIE_NAME).optional(),
    value_sha256: sha256Hex.optional(),
  })
  .refine(
    ({ name, value_sha256 }) => (name === undefined) === (value_sha256 === undefined),
    'name and value_sha256 come together, or neither',
  )

type Options = z.output<typeof OPTIONS>

export function cookieAcceptor(
  parts: Pick<AcceptorParts, 'store' | 'trustsPage'>,
): Acceptor<Options> {
  return {
    name: 'cookie',
    ...optionsOf(OPTIONS),
    nominable: true,
    prompt: true,
    finished: (context) =>
      context.options.name === undefined
        ? context.proofs.some((proof) => isLogin(proof, context))
        : shows(context) && isProved('cookie', context),
    begin: (context) => (context.options.name === undefined ? login(context) : secret(context)),
    answer: () => WRONG,
  }

  function secret(context: LockContext<Options>): LockStep {
    const { headers } = context.socket.handshake
    if (headers.origin !== undefined && !parts.trustsPage(headers)) {
      return failed(Code.ORIGIN_NOT_ALLOWED)
    }
    return context.place && shows(context) ? passedHere('cookie', context.place) : WRONG
  }

  async function login({ place, socket, now }: LockContext<Options>): Promise<LockStep> {
    const { headers } = socket.handshake
    const found = await findLogin(parts.store.logins, headers)
    if (!found || !isOfPlace(found.account, place)) return WRONG
    // Only browsers hold such cookies, and they always say which page asks (H5).
    if (headers.origin === undefined || !parts.trustsPage(headers)) {
      return failed(Code.ORIGIN_NOT_ALLOWED)
    }
    if (isExpired(found, now)) return failed(Code.PROOF_EXPIRED)
    const client = await parts.store.clients.find(found.account.id, found.client.id)
    if (!client) return WRONG
    return passedAs('cookie', client, { expiresAt: found.expiresAt })
  }
}

function isLogin(proof: Proof, { place, now }: LockContext<Options>): boolean {
  const { acceptor, client, account } = proof
  return acceptor === 'cookie' && !!client && isOfPlace(account, place) && !isExpired(proof, now)
}

function shows({ options, socket }: LockContext<Options>): boolean {
  const { name = '', value_sha256: hash } = options
  const shown = cookieOf(socket.handshake.headers, name)
  return hash !== undefined && shown !== undefined && isSha256Of(shown, hash)
}
