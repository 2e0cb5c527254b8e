/** Block technical: what members hear of the technical channel (R10). */
import type { Technical } from '@porthouse/proto/room/v1/technical'
import type { RoomConfig } from '../config.ts'

export function readTechnical(
  technical: Technical | undefined,
): Pick<RoomConfig, 'technicalSockets'> {
  return { technicalSockets: technical?.sockets }
}
