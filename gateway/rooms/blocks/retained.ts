/** Block retained: the last message of each channel is kept for those who come. */
import { type Retained, Values, ValuesSchema } from '@porthouse/proto/room/v1/retained'
import type { Fault } from '../../locks/fault.ts'
import type { RoomConfig } from '../config.ts'
import { atMost, known } from './bounds.ts'

const CHANNELS = 1_024
const CHANNELS_MAX = 100_000

export function readRetained(retained: Retained | undefined): Pick<RoomConfig, 'retained'> {
  if (!retained) return { retained: undefined }
  const { values, channels, bytes } = retained
  return {
    retained: {
      values: values === Values.ALL ? 'all' : 'asked',
      channels: channels || CHANNELS,
      bytes: bytes || Number.POSITIVE_INFINITY,
    },
  }
}

export function* checkRetained({ values, channels }: Retained): Iterable<Fault> {
  yield* known('values', values, ValuesSchema)
  yield* atMost('channels', channels, CHANNELS_MAX)
}
