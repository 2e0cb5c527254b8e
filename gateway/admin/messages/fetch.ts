/** FetchMessages: a page of a room's history, as Fetch over a socket reads it (R36). */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type {
  FetchMessagesRequest,
  FetchMessagesResponse,
} from '@porthouse/proto/admin/v1/message_service'
import {
  FetchMessagesRequestSchema,
  FetchMessagesResponseSchema,
  MessageSchema,
} from '@porthouse/proto/admin/v1/message_service'
import { type Envelope, Replay } from '@porthouse/proto/v1/envelope'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import { type Fetch, FetchSchema } from '@porthouse/proto/v1/room'
import { formatAddress } from '../../protocol/address.ts'
import { PacketWriter } from '../../protocol/packet-writer.ts'
import { uuidOf } from '../../protocol/uuid7.ts'
import type { OwnMessage } from '../../router/intake.ts'
import { type PastPage, readHistory } from '../../session/history/fetch.ts'
import type { Call } from '../calls/call.ts'
import type { AdminParts } from '../parts.ts'
import { inRoom } from './reader.ts'

/** Where the next page begins. */
interface Position {
  readonly epoch: number
  readonly sequence: number
}

export function fetchMessages(
  parts: AdminParts,
  request: FetchMessagesRequest,
  call: Call,
): Promise<FetchMessagesResponse> {
  const { pages } = parts
  const query = ['messages', call.principal.id, queryOf(request)]
  const { after: from, limit } = pages.page<Position>(request, query)
  return inRoom(parts, call, request.parent, async ({ session, target }) => {
    const { channel } = request
    const address = formatAddress(channel === '' ? target : { ...target, channel })
    const range = from ? rangeFrom(request.range, from) : request.range
    const asked = create(FetchSchema, { address, range, limit })
    const page = await readHistory(session, asked)
    const next = nextOf(page, asked)
    const { history, place } = page.room
    return create(FetchMessagesResponseSchema, {
      messages: page.messages.map(messageOf),
      nextPageToken: next === undefined ? '' : pages.token({ epoch: place.epoch, ...next }, query),
      epoch: BigInt(place.epoch),
      firstSequence: BigInt(Math.min(history.first, place.sequence + 1)),
      lastSequence: BigInt(place.sequence),
    })
  })
}

/** What else the answer depends on. */
function queryOf(request: FetchMessagesRequest): string {
  const { parent, channel, range } = request
  const rest = create(FetchMessagesRequestSchema, { parent, channel, range })
  return Buffer.from(toBinary(FetchMessagesRequestSchema, rest)).toString('base64')
}

/** The same question, from where the page before has ended. */
function rangeFrom(range: Fetch['range'], { epoch, sequence }: Position): Fetch['range'] {
  const position = create(FetchSchema, {
    range: { case: 'after', value: { epoch: BigInt(epoch), sequence: BigInt(sequence) } },
  }).range as Extract<Fetch['range'], { case: 'after' }>
  if (range.case === 'after') return position
  if (range.case !== 'between') return { case: 'before', value: position.value }
  return { case: 'between', value: { ...range.value, fromSequence: BigInt(sequence) + 1n } }
}

/** Undefined: there is no more that way. */
function nextOf(
  { room, first, last }: PastPage,
  { range }: Fetch,
): { sequence: number } | undefined {
  if (range.case === 'around') return undefined
  const end =
    range.case === 'after'
      ? room.place.sequence
      : range.case === 'between'
        ? Math.min(room.place.sequence, Number(range.value.toSequence))
        : undefined
  if (end !== undefined) return last < end ? { sequence: last } : undefined
  return first > room.history.first ? { sequence: first } : undefined
}

/** As a socket hears it, but for the route, which is a socket's. */
function messageOf({ message, body }: OwnMessage) {
  const writer = new PacketWriter(0)
  writer.envelope(body, { ...message, route: 0, replay: Replay.HISTORY })
  const [frame] = fromBinary(PacketSchema, writer.whole()).frames
  const envelope = frame?.body.value as Envelope
  const name = `messages/${uuidOf(Buffer.from(envelope.stamp?.id ?? []).toString('hex'))}`
  return create(MessageSchema, { name, envelope })
}
