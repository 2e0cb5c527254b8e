/** Block session_history: what a connection sent is replayed as long as it lasts (R24). */
import {
  Overflow,
  OverflowSchema,
  Owners,
  OwnersSchema,
  type SessionHistory,
} from '@porthouse/proto/room/v1/session_history'
import type { Fault } from '../../locks/fault.ts'
import type { RoomConfig } from '../config.ts'
import type { Blocks } from './blocks.ts'
import { atMost, known } from './bounds.ts'

const MESSAGES = 1_000
const MESSAGES_MAX = 100_000
const BYTES = 1_048_576
const BYTES_MAX = 16_777_216

export function readSessionHistory(
  block: SessionHistory | undefined,
): Pick<RoomConfig, 'sessionHistory'> {
  if (!block) return { sessionHistory: undefined }
  const { owners, messages, bytes, overflow } = block
  return {
    sessionHistory: {
      owners: owners === Owners.ALL ? 'all' : 'asked',
      messages: messages || MESSAGES,
      bytes: bytes || BYTES,
      overflow: overflow === Overflow.REJECT ? 'reject' : 'oldest',
    },
  }
}

export function* checkSessionHistory(
  { owners, messages, bytes, overflow }: SessionHistory,
  blocks: Blocks,
): Iterable<Fault> {
  yield* known('owners', owners, OwnersSchema)
  yield* known('overflow', overflow, OverflowSchema)
  yield* atMost('messages', messages, MESSAGES_MAX)
  yield* atMost('bytes', bytes, BYTES_MAX)
  const payload = blocks.of('limits')?.payloadBytes ?? 0
  if (overflow === Overflow.REJECT && payload > (bytes || BYTES)) {
    yield { path: 'bytes', reason: 'less than one message of limits.payload_bytes' }
  }
}
