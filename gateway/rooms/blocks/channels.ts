/** Block channels: which channels the room has. */
import type { Channels } from '@porthouse/proto/room/v1/channels'
import { type Fault, thrown } from '../../locks/fault.ts'
import { checkFilter } from '../../protocol/channel.ts'
import type { RoomConfig } from '../config.ts'
import { notOver } from './bounds.ts'

const ALLOWED_MAX = 256

type Part = Pick<RoomConfig, 'channels' | 'channelsOnly'>

export function readChannels(channels: Channels | undefined): Part {
  return { channels: channels?.allowed ?? [], channelsOnly: channels?.only ?? false }
}

export function* checkChannels({ allowed }: Channels): Iterable<Fault> {
  yield* notOver('allowed', allowed, ALLOWED_MAX)
  for (const [i, filter] of allowed.slice(0, ALLOWED_MAX).entries()) {
    yield* thrown(`allowed[${i}]`, () => checkFilter(filter))
  }
}
