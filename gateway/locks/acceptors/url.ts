/** The `url` acceptor: a secret part of the path, `/{account}/{room}/~{secret}` (R7, K16). */
import { z } from 'zod'
import { isSha256Of } from '../../identity/sha256.ts'
import type { Acceptor, LockContext } from '../acceptor.ts'
import { optionsOf, sha256Hex } from './options.ts'
import { isProved } from './proved.ts'
import { passedHere, WRONG } from './steps.ts'

const OPTIONS = z.strictObject({ sha256: sha256Hex })

type Options = z.output<typeof OPTIONS>

export function urlAcceptor(): Acceptor<Options> {
  return {
    name: 'url',
    ...optionsOf(OPTIONS),
    nominable: false,
    prompt: true,
    // The path stays what it was, and another lock of the place may ask for another secret.
    finished: (context) => shows(context) && isProved('url', context),
    begin: (context) =>
      context.place && shows(context) ? passedHere('url', context.place) : WRONG,
    answer: () => WRONG,
  }
}

function shows({ options, socket }: LockContext<Options>): boolean {
  const { secret } = socket.handshake
  return secret !== undefined && isSha256Of(secret, options.sha256)
}
