/** The configs that a room has had: listed, compared, and gone back to (R19). */
import { create } from '@bufbuild/protobuf'
import type { ServiceImpl } from '@connectrpc/connect'
import { BlockChangeSchema, type RoomService } from '@porthouse/proto/admin/v1/room_service'
import type { Config } from '@porthouse/proto/room/v1/config'
import { changedKinds } from '../../rooms/blocks/changed.ts'
import { shownConfig, shownJson } from '../../rooms/config-secrets.ts'
import { unifiedDiff } from '../../rooms/unified-diff.ts'
import type { ListedRoom, RoomHead, Rooms } from '../../store/store.ts'
import { callOf } from '../calls/call.ts'
import { checkEtag } from '../etags.ts'
import { segments, unknownResource } from '../names.ts'
import type { AdminParts } from '../parts.ts'
import { checkUsable, kindOf } from './edited.ts'
import {
  authorOf,
  changed,
  nameOf,
  readable,
  revealed,
  roomEtag,
  shown,
  shownRevision,
  theHead,
  theRevision,
  theRoom,
} from './records.ts'

type Methods = 'listRoomRevisions' | 'getRoomRevision' | 'diffRoomRevisions' | 'rollbackRoom'

/** Read at once: each may hold a schema or a descriptor set. */
const PAGE_MAX = 50

export function revisionMethods(parts: AdminParts): Pick<ServiceImpl<typeof RoomService>, Methods> {
  const { store, pages, flows } = parts
  const { rooms } = store
  return {
    async listRoomRevisions(request, context) {
      const query = ['revisions', request.parent, callOf(context).principal.id]
      const page = pages.page<number>(request, query)
      const limit = Math.min(page.limit, PAGE_MAX)
      const room = await theHead(rooms, request.parent, 'parent')
      const before = page.after === undefined ? {} : { before: page.after }
      const found = await rooms.revisions(room.account.id, room.id, { ...before, limit: limit + 1 })
      const position = ({ revision }: { revision: number }) => revision
      const { items, nextPageToken } = pages.cut(found, { ...page, limit }, query, position)
      const revisions = items.map((each) => {
        const { config: _, ...rest } = shownRevision(room, each)
        return rest
      })
      return { revisions, nextPageToken }
    },

    async getRoomRevision({ name, revealSecrets }, context) {
      const reveal = revealed(revealSecrets, context)
      const [account, slug, number = ''] = segments('accounts/*/rooms/*/revisions/*', name)
      const room = await theHead(rooms, `accounts/${account}/rooms/${slug}`)
      if (!/^[1-9]\d{0,8}$/.test(number)) throw unknownResource(name)
      return shownRevision(room, await theRevision(rooms, room, Number(number)), reveal)
    },

    async diffRoomRevisions({ name, fromRevision, toRevision, revealSecrets }, context) {
      const reveal = revealed(revealSecrets, context)
      const room = await theHead(rooms, name)
      const to = toRevision ?? room.revision
      const from = fromRevision ?? Math.max(0, to - 1)
      const [before, after] = [
        await configAt(rooms, room, from),
        await configAt(rooms, room, to),
      ] as const
      const shownBoth = [shownConfig(before, reveal), shownConfig(after, reveal)] as const
      const blocks = changedKinds(before, after).map((kind) => blockChange(kind, ...shownBoth))
      const text = textOf(nameOf(room), [from, before], [to, after], reveal)
      return { fromRevision: from, toRevision: to, blocks, text }
    },

    async rollbackRoom({ name, revision = 0, etag, validateOnly }, context) {
      const before = await theRoom(rooms, name)
      checkEtag(etag, roomEtag(before))
      const config = await configAt(rooms, before, revision)
      // Acceptors and bounds may be others now.
      checkUsable(config, flows, 'revision')
      if (validateOnly) return shown({ ...before, config, revision: before.revision + 1 })
      const author = authorOf(context, ` to ${revision}`)
      const expected = etag === '' ? undefined : before.revision
      const { id, account } = before
      const after = await rooms.configure(account.id, id, config, author, expected)
      callOf(context).changed = changed(before, after)
      return shown(after)
    },
  }
}

/** Rejects with Refusal, where there is none that can be read. */
async function configAt(rooms: Rooms, room: RoomHead | ListedRoom, revision: number) {
  const { config } = await theRevision(rooms, room, revision)
  return readable(config, `${nameOf(room)}/revisions/${revision}`)
}

function blockChange(kind: string, before: Config, after: Config) {
  const [was, is] = [before, after].map(({ blocks }) =>
    blocks.find((block) => kindOf(block) === kind),
  )
  return create(BlockChangeSchema, { kind, ...(was && { before: was }), ...(is && { after: is }) })
}

type At = readonly [revision: number, config: Config]

/** As `diff -u` has it; empty where both are shown the same. */
function textOf(name: string, from: At, to: At, reveal: boolean): string {
  const [before = [], after = []] = [from, to].map(([, config]) =>
    JSON.stringify(shownJson(config, reveal), null, 2).split('\n'),
  )
  const hunks = unifiedDiff(before, after)
  if (hunks.length === 0) return ''
  const [old, now] = [from, to].map(([revision]) => `${name}/revisions/${revision}`)
  return [`--- ${old}`, `+++ ${now}`, ...hunks].map((line) => `${line}\n`).join('')
}
