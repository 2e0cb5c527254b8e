/** Block flush_window: messages wait a moment while the gateway is busy (G4). */
import type { FlushWindow } from '@porthouse/proto/room/v1/flush_window'
import type { Fault } from '../../locks/fault.ts'
import type { RoomConfig } from '../config.ts'
import { atMost } from './bounds.ts'

const MILLISECONDS_MAX = 50

export function readFlushWindow(
  window: FlushWindow | undefined,
): Pick<RoomConfig, 'flushWindowMs'> {
  return { flushWindowMs: window?.milliseconds || undefined }
}

export function checkFlushWindow({ milliseconds }: FlushWindow): Iterable<Fault> {
  return atMost('milliseconds', milliseconds, MILLISECONDS_MAX)
}
