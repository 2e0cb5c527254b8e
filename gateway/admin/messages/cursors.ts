/** How far who has read in a room (R36). */
import { create } from '@bufbuild/protobuf'
import type { ServiceImpl } from '@connectrpc/connect'
import {
  type Cursor,
  CursorSchema,
  ListCursorsResponseSchema,
  type MessageService,
} from '@porthouse/proto/admin/v1/message_service'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import { invalid } from '../../protocol/violations.ts'
import { holderOf } from '../../session/history/backlog.ts'
import { setCursor } from '../../session/history/cursor.ts'
import type { HeldCursor } from '../../store/history.ts'
import type { Store } from '../../store/store.ts'
import { type Call, callOf, type State } from '../calls/call.ts'
import { CLIENT, match, TOKEN, unknownResource } from '../names.ts'
import type { AdminParts } from '../parts.ts'
import { inRoom, type Reader } from './reader.ts'

type Methods = Pick<ServiceImpl<typeof MessageService>, 'listCursors' | 'setCursor'>

export function cursorMethods(parts: AdminParts): Methods {
  const { store, pages } = parts
  return {
    async listCursors(request, context) {
      const call = callOf(context)
      const query = ['cursors', request.parent, call.principal.id]
      const page = pages.page<string>(request, query)
      return inRoom(parts, call, request.parent, async (reader) => {
        const { place } = reader.room
        const asked = { after: page.after, limit: page.limit + 1 }
        const found = await cursorsIn(store, reader, call, asked)
        const { items, nextPageToken } = pages.cut(found, page, query, ({ holder }) => holder)
        return create(ListCursorsResponseSchema, {
          cursors: items.map((held) => shown(reader, held)),
          nextPageToken,
          last: { epoch: BigInt(place.epoch), sequence: BigInt(place.sequence) },
        })
      })
    },

    async setCursor({ parent, cursor, validateOnly }, context) {
      const call = callOf(context)
      if (!cursor?.position) throw invalid('cursor.position', 'is missing')
      const { position } = cursor
      return inRoom(parts, call, parent, async (reader) => {
        const { session, room } = reader
        const held = await theHolder(store, reader, call, cursor.holder)
        const before = await session.core.cursors.find(room.record.id, {
          epoch: room.place.epoch,
          holder: held.holder,
        })
        const now = await setCursor(session.core, room, held.holder, position, validateOnly)
        const after = shown(reader, { ...held, sequence: now })
        if (!validateOnly) {
          const was = state(shown(reader, { ...held, sequence: before }))
          call.changed = { resource: after.holder, before: was, after: state(after) }
        }
        return after
      })
    },
  }
}

/** A token sees its own, and nobody else's. */
async function cursorsIn(
  { cursors }: Store,
  { session, room }: Reader,
  { principal: { token } }: Call,
  page: { after: string | undefined; limit: number },
): Promise<HeldCursor[]> {
  if (!room.config.unread) throw new Refusal(Code.NO_HISTORY, 'the room keeps no cursors')
  if (!token) return cursors.list(room.record.id, page)
  const holder = holderOf(session)
  const sequence = await cursors.find(room.record.id, holder)
  const isNext = page.after === undefined || page.after < holder
  return sequence > 0 && isNext ? [{ holder, sequence, ...clientOf(token.client) }] : []
}

/** Rejects with Refusal where there is no such holder, or a token means somebody else. */
async function theHolder(
  { clients, tokens }: Store,
  { session, room }: Reader,
  { principal: { token } }: Call,
  name: string,
): Promise<Omit<HeldCursor, 'sequence'>> {
  const { account } = room.record
  if (token) {
    const own = { holder: holderOf(session), ...clientOf(token.client) }
    if (name === '' || name === nameOf(account.slug, own)) return own
    throw unknownResource(name)
  }
  if (name === '') throw invalid('cursor.holder', 'is missing; an API key has no cursor of its own')
  const [, client] = match(CLIENT, name) ?? []
  if (client !== undefined) {
    const found = await clients.find(account.id, client)
    if (found) return { holder: found.id, client: found.slug }
  }
  const [, id] = match(TOKEN, name) ?? []
  const found = id === undefined ? undefined : await tokens.find(id)
  if (found?.account.id === account.id)
    return { holder: found.client?.id ?? found.id, ...clientOf(found.client) }
  throw unknownResource(name)
}

function clientOf(client: { readonly slug: string } | undefined): { client?: string } {
  return client ? { client: client.slug } : {}
}

function shown({ room: { place, record } }: Reader, held: HeldCursor): Cursor {
  return create(CursorSchema, {
    holder: nameOf(record.account.slug, held),
    position: { epoch: BigInt(place.epoch), sequence: BigInt(held.sequence) },
  })
}

function nameOf(account: string, { holder, client }: Omit<HeldCursor, 'sequence'>): string {
  return client === undefined
    ? `accounts/${account}/tokens/${holder}`
    : `accounts/${account}/clients/${client}`
}

function state(message: Cursor): State {
  return { schema: CursorSchema, message }
}
