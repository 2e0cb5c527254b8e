/** The `url` acceptor: a secret part of the path, `/{account}/{room}/~{secret}` (R7, K16). */
import { Code } from '@porthouse/proto/v1/code'
import { z } from 'zod'
import { isSecret } from '../../identity/logins.ts'
import type { Acceptor } from '../acceptor.ts'
import { failed, passedHere } from './handshake.ts'
import { readObject, sha256Hex } from './options.ts'

const OPTIONS = z.strictObject({ sha256: sha256Hex })

export function urlAcceptor(): Acceptor<z.output<typeof OPTIONS>> {
  return {
    name: 'url',
    readOptions: (options) => readObject(OPTIONS, options),
    nominable: false,
    prompt: true,
    // One path, one secret: another lock of the place may ask for another one.
    finished: () => false,
    begin({ options, place, socket }) {
      const { secret } = socket.handshake
      return place && secret !== undefined && isSecret(secret, options.sha256)
        ? passedHere('url', place)
        : failed(Code.UNAUTHENTICATED)
    },
    answer: () => failed(Code.UNAUTHENTICATED),
  }
}
