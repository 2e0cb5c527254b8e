/** Block unread: read cursors of clients (R36). */
import type { Unread } from '@porthouse/proto/room/v1/unread'
import type { Fault } from '../../locks/fault.ts'
import type { RoomConfig } from '../config.ts'
import type { Blocks } from './blocks.ts'
import { isDurable } from './history.ts'

export function readUnread(unread: Unread | undefined, blocks: Blocks): Pick<RoomConfig, 'unread'> {
  return { unread: unread?.enabled ?? isDurable(blocks.of('history')) }
}

export function* checkUnread({ enabled }: Unread, blocks: Blocks): Iterable<Fault> {
  if (enabled && !isDurable(blocks.of('history')))
    yield { path: '', reason: 'only with history KEEP_DURABLE' }
}
