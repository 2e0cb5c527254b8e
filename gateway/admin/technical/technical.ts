/** The technical channel (R10), for administrators. */
import { create } from '@bufbuild/protobuf'
import { EmptySchema } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import {
  AnnounceRequestSchema,
  type TechnicalService,
} from '@porthouse/proto/admin/v1/technical_service'
import { DETAIL_BYTES_MAX } from '../../protocol/limits.ts'
import { invalid } from '../../protocol/violations.ts'
import { callOf } from '../calls/call.ts'
import { theLive } from '../live.ts'
import type { AdminParts } from '../parts.ts'
import { scopeOf } from '../scope.ts'
import { watchTechnical } from './watch.ts'

export function technicalService(parts: AdminParts): ServiceImpl<typeof TechnicalService> {
  return {
    async *watchTechnical({ parent, kinds }, context) {
      const live = theLive(parts)
      const scope = await scopeOf(parts, parent, context)
      const { waiting, silenceMs } = parts.config.admin.streams
      const { signal } = callOf(context)
      yield* watchTechnical({ live, scope, kinds, waiting, silenceMs, signal })
    },

    async announce(request, context) {
      const { parent, detail, validateOnly } = request
      const { core, sessions } = theLive(parts)
      const { account } = await scopeOf(parts, parent, context)
      if (Buffer.byteLength(detail) > DETAIL_BYTES_MAX) {
        throw invalid('detail', `is over ${DETAIL_BYTES_MAX} bytes`)
      }
      if (validateOnly) return create(EmptySchema)
      const those = account ? core.accounts.sessionsOf(account.id) : sessions.all
      core.technical.announce(those, detail, account?.id)
      const after = { schema: AnnounceRequestSchema, message: request }
      callOf(context).changed = { resource: parent, after }
      return create(EmptySchema)
    },
  }
}
