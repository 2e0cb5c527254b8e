/** Checks that save and send nothing: of a whole config, and of one message (R19, R20). */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import type { ServiceImpl } from '@connectrpc/connect'
import type {
  CheckMessageRequest,
  CheckMessageResponseSchema,
  RoomService,
} from '@porthouse/proto/admin/v1/room_service'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import type { Messages } from '@porthouse/proto/room/v1/messages'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import { Refusal } from '../../protocol/codes.ts'
import type { Limits } from '../../protocol/limits.ts'
import { scanEnvelope } from '../../protocol/scan-envelope.ts'
import { Violations } from '../../protocol/violations.ts'
import { Blocks } from '../../rooms/blocks/blocks.ts'
import { checkMessages, readMessages } from '../../rooms/blocks/messages.ts'
import { ContentInvalid } from '../../rooms/structure/misfit.ts'
import type { Rooms } from '../../store/store.ts'
import { theAccount } from '../accounts.ts'
import type { AdminParts } from '../parts.ts'
import { violationsIn, violationsOf } from './edited.ts'
import { nameOf, readable, theRoom } from './records.ts'

type Methods = 'checkRoomConfig' | 'checkMessage'

export function checkMethods({
  store: { rooms, accounts },
  flows,
  config: { limits },
}: AdminParts): Pick<ServiceImpl<typeof RoomService>, Methods> {
  return {
    async checkRoomConfig({ parent, config = create(ConfigSchema) }) {
      await theAccount(accounts, parent)
      return { violations: violationsIn(config, flows, 'config') }
    },

    async checkMessage(request) {
      const messages = await messagesOf(rooms, request)
      return fitOf(request, messages, limits)
    },
  }
}

/** Undefined: anything goes. Rejects with Refusal. */
async function messagesOf(
  rooms: Rooms,
  { room: name, messages }: CheckMessageRequest,
): Promise<Messages | undefined> {
  const room = await theRoom(rooms, name, 'room')
  if (!messages) return new Blocks(readable(room.config, nameOf(room))).of('messages')
  const violations = violationsOf(checkMessages(messages), 'messages')
  if (violations.length > 0) throw new Violations(violations)
  return messages
}

/** As the room would judge it. */
function fitOf(
  { content }: CheckMessageRequest,
  messages: Messages | undefined,
  limits: Limits,
): MessageInitShape<typeof CheckMessageResponseSchema> {
  const bytes = Buffer.from(toBinary(EnvelopeSchema, create(EnvelopeSchema, { content })))
  try {
    const envelope = scanEnvelope(bytes, 0, bytes.length, limits)
    readMessages(messages).structure?.admit(envelope)
    return { fits: true }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { code, detail } = error
    if (!(error instanceof ContentInvalid)) return { code, reason: detail }
    return { code, field: error.pointer, reason: error.reason }
  }
}
