/** Rooms of the admin API. */
import type { ServiceImpl } from '@connectrpc/connect'
import type { RoomService } from '@porthouse/proto/admin/v1/room_service'
import type { AdminParts } from '../parts.ts'
import { checkMethods } from './checks.ts'
import { revisionMethods } from './revisions.ts'
import { roomMethods } from './rooms.ts'

export function roomService(parts: AdminParts): ServiceImpl<typeof RoomService> {
  return { ...roomMethods(parts), ...revisionMethods(parts), ...checkMethods(parts) }
}
