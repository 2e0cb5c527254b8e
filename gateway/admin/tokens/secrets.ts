/** Secrets of tokens: another one, none, or the end of the token (R33). */
import { create } from '@bufbuild/protobuf'
import { EmptySchema } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import type { TokenService } from '@porthouse/proto/admin/v1/token_service'
import { newToken, REVOKED_HASH } from '../../identity/tokens.ts'
import { callOf } from '../calls/call.ts'
import { unknownResource } from '../names.ts'
import type { AdminParts } from '../parts.ts'
import { change, expectedVersion, SECRET_BYTES, shown, state, theToken } from './records.ts'

type Methods = 'regenerateToken' | 'revokeToken' | 'deleteToken'

export function secretMethods({
  store: { tokens },
  random,
}: AdminParts): Pick<ServiceImpl<typeof TokenService>, Methods> {
  return {
    async regenerateToken({ name, etag, validateOnly }, context) {
      const before = await theToken(tokens, name, etag)
      const { hash, secret } = newToken(before.id, random(SECRET_BYTES))
      if (validateOnly) return shown({ ...before, hash })
      return shown(await change(tokens, { before, etag }, { hash }, context), secret)
    },

    async revokeToken({ name, etag, validateOnly }, context) {
      const before = await theToken(tokens, name, etag)
      const hash = REVOKED_HASH
      if (validateOnly) return shown({ ...before, hash })
      return shown(await change(tokens, { before, etag }, { hash }, context))
    },

    async deleteToken({ name, etag, validateOnly }, context) {
      const before = await theToken(tokens, name, etag)
      if (!validateOnly) {
        const gone = await tokens.delete(before.id, expectedVersion({ before, etag }))
        if (!gone) throw unknownResource(name)
        callOf(context).changed = { before: state(before) }
      }
      return create(EmptySchema)
    },
  }
}
