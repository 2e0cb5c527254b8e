/** Block channels: which channels the room has. */
import type { Channels } from '@porthouse/proto/room/v1/channels'
import { checkFilter } from '../../protocol/channel.ts'
import type { RoomConfig } from '../config.ts'
import { atMost, thrown } from './bounds.ts'

const ALLOWED_MAX = 256

type Part = Pick<RoomConfig, 'channels' | 'channelsOnly'>

export function readChannels(channels: Channels | undefined): Part {
  return { channels: channels?.allowed ?? [], channelsOnly: channels?.only ?? false }
}

export function* checkChannels({ allowed }: Channels): Iterable<string> {
  yield* atMost('channels.allowed: how many', allowed.length, ALLOWED_MAX)
  for (const [i, filter] of allowed.slice(0, ALLOWED_MAX).entries()) {
    yield* thrown(`channels.allowed[${i}]`, () => checkFilter(filter))
  }
}
