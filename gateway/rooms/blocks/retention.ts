/** Block retention: how much of a durable history stays. */
import type { Retention } from '@porthouse/proto/room/v1/retention'
import type { Fault } from '../../locks/fault.ts'
import type { RoomConfig } from '../config.ts'
import type { Blocks } from './blocks.ts'
import { isDurable } from './history.ts'

export function readRetention(retention: Retention | undefined): Pick<RoomConfig, 'retention'> {
  const { messages, bytes, ageMs } = retention ?? {}
  return {
    retention: {
      ...(messages && { messages: Number(messages) }),
      ...(bytes && { bytes: Number(bytes) }),
      ...(ageMs && { ageMs: Number(ageMs) }),
    },
  }
}

export function* checkRetention(retention: Retention, blocks: Blocks): Iterable<Fault> {
  if (!isDurable(blocks.of('history'))) yield { path: '', reason: 'only with history KEEP_DURABLE' }
  yield* exact('messages', retention.messages)
  yield* exact('bytes', retention.bytes)
  yield* exact('ageMs', retention.ageMs)
}

/** What a number holds exactly is far beyond what any disk does. */
function* exact(path: string, value: bigint): Iterable<Fault> {
  const max = Number.MAX_SAFE_INTEGER
  if (value > max) yield { path, reason: `${value} is over ${max}` }
}
