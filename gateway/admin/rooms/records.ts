/** Rooms and their revisions as the admin API shows them, and how they are found. */
import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { HandlerContext } from '@connectrpc/connect'
import { Role } from '@porthouse/proto/admin/v1/options'
import { type Room, RoomRevisionSchema, RoomSchema } from '@porthouse/proto/admin/v1/room_service'
import { type Config, ConfigSchema } from '@porthouse/proto/room/v1/config'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import { changedKinds } from '../../rooms/blocks/changed.ts'
import { shownConfig } from '../../rooms/config-secrets.ts'
import {
  type ListedRoom,
  type RoomHead,
  type RoomRevision,
  type Rooms,
  StoreError,
} from '../../store/store.ts'
import { callOf, type State } from '../calls/call.ts'
import { roleName } from '../credentials/principal.ts'
import { etagOf } from '../etags.ts'
import { ROOM, segments, unknownResource } from '../names.ts'
import { kindOf } from './edited.ts'

/** By its name as a resource. Rejects with Refusal RESOURCE_UNKNOWN. */
export async function theHead(rooms: Rooms, name: string, field?: string): Promise<RoomHead> {
  return known(name, await rooms.head(...partsOf(name, field)))
}

/** The same with its config, unless that is of a later version. */
export async function theRoom(rooms: Rooms, name: string, field?: string): Promise<ListedRoom> {
  const parts = partsOf(name, field)
  const found = await rooms.find(...parts).catch((error: unknown) => {
    if (error instanceof StoreError && error.failure === 'unreadable') return rooms.head(...parts)
    throw error
  })
  return known(name, found)
}

function partsOf(name: string, field?: string): [account: string, room: string] {
  const [account = '', room = ''] = segments(ROOM, name, field)
  return [account, room]
}

function known<Found>(name: string, found: Found | undefined): Found {
  if (!found) throw unknownResource(name)
  return found
}

/** A config that has to be readable. Throws Refusal STATE_UNSUITABLE. */
export function readable(config: Config | undefined, what: string): Config {
  if (config) return config
  const text = `the config of ${what} is of a later version of porthouse`
  throw new Refusal(Code.STATE_UNSUITABLE, `${text}; roll back, or give the room another config`)
}

/**
 * A config that a room has, or had; before the first it had no blocks. Rejects with Refusal
 * RESOURCE_UNKNOWN.
 */
export async function theRevision(
  rooms: Rooms,
  { id, account, ...room }: RoomHead,
  revision: number,
): Promise<RoomRevision> {
  if (revision === 0) {
    return { revision, author: '', createdAt: room.createdAt, config: create(ConfigSchema) }
  }
  const [found] = await rooms.revisions(account.id, id, { before: revision + 1, limit: 1 })
  if (found?.revision === revision) return found
  throw unknownResource(`${nameOf({ account, ...room })}/revisions/${revision}`)
}

export function nameOf({ account, slug }: Pick<RoomHead, 'account' | 'slug'>): string {
  return `accounts/${account.slug}/rooms/${slug}`
}

export function roomEtag({ id, revision }: Pick<RoomHead, 'id' | 'revision'>): string {
  return etagOf(id, revision)
}

/** Without its config, as lists have it. */
export function shownHead(head: RoomHead): Room {
  const { id, createdAt, revision } = head
  const createTime = timestampFromDate(createdAt)
  return create(RoomSchema, {
    name: nameOf(head),
    uid: id,
    createTime,
    revision,
    // Of one that is only planned there is nothing to come back to.
    etag: id === '' ? '' : roomEtag(head),
  })
}

export function shown(room: ListedRoom, reveal = false): Room {
  const head = shownHead(room)
  if (room.config) head.config = shownConfig(room.config, reveal)
  else head.unreadable = true
  return head
}

export function shownRevision(room: RoomHead, { config, ...rest }: RoomRevision, reveal = false) {
  const { revision, author, createdAt } = rest
  return create(RoomRevisionSchema, {
    name: `${nameOf(room)}/revisions/${revision}`,
    revision,
    author,
    createTime: timestampFromDate(createdAt),
    ...(config ? { config: shownConfig(config, reveal) } : { unreadable: true }),
  })
}

/** Who changes a config, and by which call, as its revisions tell. */
export function authorOf(context: HandlerContext, how = ''): string {
  return `${callOf(context).principal.id}, by ${context.method.name}${how}`
}

/** Before and after a change, for the audit log: of the blocks that it changed. */
export function changed(before: ListedRoom, after: ListedRoom): { before: State; after: State } {
  const kinds = changedKinds(
    before.config ?? create(ConfigSchema),
    after.config ?? create(ConfigSchema),
  )
  return { before: state(before, kinds), after: state(after, kinds) }
}

/** As the audit log has it; `kinds`: blocks that it shows, all where they are not given. */
export function state(room: ListedRoom, kinds?: readonly string[]): State {
  const message = shown(room)
  if (message.config && kinds) {
    const { blocks } = message.config
    message.config.blocks = blocks.filter((block) => kinds.includes(kindOf(block)))
  }
  return { schema: RoomSchema, message }
}

/**
 * Whether secrets are to be shown, which the audit log then tells. Throws Refusal
 * ROLE_NOT_PERMITTED.
 */
export function revealed(asked: boolean, context: HandlerContext): boolean {
  const { role } = callOf(context).principal
  if (asked && role !== Role.OPERATOR && role !== Role.OWNER) {
    throw new Refusal(Code.ROLE_NOT_PERMITTED, `${roleName(role)} may not see secrets`)
  }
  return asked
}
