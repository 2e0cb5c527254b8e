/** Messages without a socket: sending, reading what rooms keep, and cursors (R6, R36). */
import type { ServiceImpl } from '@connectrpc/connect'
import type { MessageService } from '@porthouse/proto/admin/v1/message_service'
import { envelopeOf } from '../../session/posts/message.ts'
import { authorTo, send } from '../../session/posts/send.ts'
import { callOf } from '../calls/call.ts'
import { theLive } from '../live.ts'
import type { AdminParts } from '../parts.ts'
import { cursorMethods } from './cursors.ts'
import { fetchMessages } from './fetch.ts'

export function messageService(parts: AdminParts): ServiceImpl<typeof MessageService> {
  const { accounts } = parts.store
  return {
    async sendMessage(request, context) {
      const { posters } = theLive(parts)
      const { principal } = callOf(context)
      const envelope = envelopeOf(request, parts.config.limits)
      const author = await authorTo(principal, envelope.to, (name) => accounts.find(name))
      return send(posters, author, envelope)
    },

    fetchMessages: (request, context) => fetchMessages(parts, request, callOf(context)),

    ...cursorMethods(parts),
  }
}
