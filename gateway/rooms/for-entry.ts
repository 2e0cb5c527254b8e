/**
 * Rooms as a dry run opens them: who gets in is told by their configs, and nothing that they keep
 * is claimed or read, nor any program begun. The gateway that has the room open must not feel it.
 */
import { create } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import type { RoomRecord, Rooms } from '../store/store.ts'
import type { Kind } from './blocks/blocks.ts'

const KEPT: ReadonlySet<Kind | undefined> = new Set<Kind>([
  'history',
  'retention',
  'sessionHistory',
  'unread',
  'retained',
  'program',
])

export function forEntry(rooms: Pick<Rooms, 'find' | 'list'>): Pick<Rooms, 'find' | 'list'> {
  return {
    list: (account) => rooms.list(account),
    async find(account, room): Promise<RoomRecord | undefined> {
      const found = await rooms.find(account, room)
      if (!found) return undefined
      const blocks = found.config.blocks.filter(({ kind }) => !KEPT.has(kind.case))
      return { ...found, config: create(ConfigSchema, { blocks }) }
    },
  }
}
