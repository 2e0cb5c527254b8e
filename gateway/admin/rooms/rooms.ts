/** Rooms: listed, shown, made, edited and deleted (R19). */
import { create } from '@bufbuild/protobuf'
import { EmptySchema } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import type { RoomService } from '@porthouse/proto/admin/v1/room_service'
import { type Config, ConfigSchema } from '@porthouse/proto/room/v1/config'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import { checkSlug } from '../../protocol/name.ts'
import { invalid } from '../../protocol/violations.ts'
import { type ListedRoom, StoreError } from '../../store/store.ts'
import { theAccount } from '../accounts.ts'
import { callOf } from '../calls/call.ts'
import { checkEtag } from '../etags.ts'
import { unknownResource } from '../names.ts'
import type { AdminParts } from '../parts.ts'
import { checkUsable, kindsIn, withBlocks } from './edited.ts'
import {
  authorOf,
  changed,
  nameOf,
  readable,
  revealed,
  roomEtag,
  shown,
  shownHead,
  state,
  theRoom,
} from './records.ts'

type Methods = 'listRooms' | 'getRoom' | 'createRoom' | 'updateRoom' | 'deleteRoom'

/** How often an edit of blocks begins anew where another edit came in between. */
const EDITS_MAX = 5

export function roomMethods(parts: AdminParts): Pick<ServiceImpl<typeof RoomService>, Methods> {
  const { store, pages, flows, clock } = parts
  const { rooms, accounts } = store
  return {
    async listRooms(request, context) {
      const query = ['rooms', request.parent, callOf(context).principal.id]
      const page = pages.page<string>(request, query)
      const { id } = await theAccount(accounts, request.parent)
      const { after, limit } = page
      const found = await rooms.page(id, {
        limit: limit + 1,
        ...(after !== undefined && { after }),
      })
      const { items, nextPageToken } = pages.cut(found, page, query, ({ slug }) => slug)
      return { rooms: items.map(shownHead), nextPageToken }
    },

    async getRoom({ name, revealSecrets }, context) {
      const reveal = revealed(revealSecrets, context)
      return shown(await theRoom(rooms, name), reveal)
    },

    async createRoom({ parent, roomId: slug, room, validateOnly }, context) {
      checkSlug(slug, 'room')
      const config = room?.config ?? create(ConfigSchema)
      const account = await theAccount(accounts, parent)
      checkUsable(config, flows, 'room.config')
      if (validateOnly) {
        const taken = await rooms.head(account.id, slug)
        if (taken) throw new Refusal(Code.RESOURCE_EXISTS, 'that room exists already')
        return shown({ id: '', account, slug, config, createdAt: new Date(clock()), revision: 1 })
      }
      const author = authorOf(context)
      const made = await rooms.create({ account: account.id, slug, config, author })
      callOf(context).changed = { after: state(made) }
      return shown(made)
    },

    async updateRoom({ room, updateMask, validateOnly }, context) {
      const { name = '', etag = '', config: given } = room ?? {}
      const kinds = kindsIn(updateMask)
      if (!given && !kinds) throw invalid('room.config', 'is required')
      for (let left = EDITS_MAX; ; left--) {
        const before = await theRoom(rooms, name, 'room.name')
        checkEtag(etag, roomEtag(before))
        const config = editedConfig(before, given ?? create(ConfigSchema), kinds)
        checkUsable(config, flows, 'room.config', kinds !== undefined)
        if (validateOnly) return shown({ ...before, config, revision: before.revision + 1 })
        const expected = kinds || etag !== '' ? before.revision : undefined
        try {
          const { id, account } = before
          const after = await rooms.configure(account.id, id, config, authorOf(context), expected)
          callOf(context).changed = changed(before, after)
          return shown(after)
        } catch (error) {
          if (!isStale(error) || etag !== '' || left === 0) throw error
        }
      }
    },

    async deleteRoom({ name, etag, validateOnly }, context) {
      const room = await theRoom(rooms, name)
      checkEtag(etag, roomEtag(room))
      if (!validateOnly) {
        callOf(context).changed = { before: state(room) }
        const expected = etag === '' ? undefined : room.revision
        if (!(await rooms.delete(room.account.id, room.id, expected))) throw unknownResource(name)
      }
      return create(EmptySchema)
    },
  }
}

function editedConfig(
  room: ListedRoom,
  given: Config,
  kinds: ReadonlySet<string> | undefined,
): Config {
  return kinds ? withBlocks(readable(room.config, nameOf(room)), given, kinds) : given
}

function isStale(error: unknown): boolean {
  return error instanceof StoreError && error.failure === 'stale'
}
