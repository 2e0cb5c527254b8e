/** Block history: what the room keeps of its messages (R36, R37, R43). */
import { type History, Keep, KeepSchema } from '@porthouse/proto/room/v1/history'
import type { Fault } from '../../locks/fault.ts'
import type { WindowBounds } from '../../router/window.ts'
import type { RoomConfig } from '../config.ts'
import { atMost, known } from './bounds.ts'

const WINDOW: WindowBounds = { messages: 100, bytes: 1_048_576, ageMs: 300_000 }
const WINDOW_MAX: WindowBounds = { messages: 10_000, bytes: 16_777_216, ageMs: 86_400_000 }

export function readHistory(history: History | undefined): Pick<RoomConfig, 'history'> {
  const window = {
    messages: history?.window?.messages || WINDOW.messages,
    bytes: history?.window?.bytes || WINDOW.bytes,
    ageMs: history?.window?.ageMs || WINDOW.ageMs,
  }
  return { history: { keep: keepOf(history?.keep), window } }
}

export function isDurable(history: History | undefined): boolean {
  return history?.keep === Keep.DURABLE
}

export function* checkHistory({ keep, window }: History): Iterable<Fault> {
  yield* known('keep', keep, KeepSchema)
  if (!window) return
  if (keep !== Keep.WINDOW) yield { path: 'window', reason: 'only with KEEP_WINDOW' }
  yield* atMost('window.messages', window.messages, WINDOW_MAX.messages)
  yield* atMost('window.bytes', window.bytes, WINDOW_MAX.bytes)
  yield* atMost('window.ageMs', window.ageMs, WINDOW_MAX.ageMs)
}

function keepOf(keep: Keep | undefined) {
  if (keep === Keep.DURABLE) return 'durable'
  return keep === Keep.WINDOW ? 'window' : 'none'
}
