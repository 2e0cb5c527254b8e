/** GetStats: how many are in a room and its channels, and how much is sent there (R23). */
import { create, toBinary } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { type GetStats, type Occupancy, OccupancySchema } from '@porthouse/proto/v1/command'
import { parseAddress } from '../../protocol/address.ts'
import { coveredBy } from '../../protocol/channel.ts'
import { Refusal } from '../../protocol/codes.ts'
import { channelsOf, figuresOf } from '../../router/figures.ts'
import type { Place } from '../../router/place.ts'
import type { Session } from '../session.ts'
import { inRoom } from './in-room.ts'
import { type Page, pageOf } from './page.ts'
import { checkAfter } from './permission.ts'

/**
 * Of the channels those that the asker may hear. Rejects as inRoom does, and with
 * CHANNEL_NOT_PERMITTED for a channel that he may not.
 */
export async function getStats(asker: Session, { of, after }: GetStats): Promise<Page<Occupancy>> {
  checkAfter(after)
  const address = parseAddress(of)
  if (address.kind !== 'room') throw new Refusal(Code.ADDRESS_INVALID, 'not a room')
  return inRoom(asker, address, ({ room: { place }, hears }) => {
    const mayHear = (channel: string) => coveredBy(hears, channel)
    const { channel } = address
    if (channel !== undefined && !mayHear(channel)) {
      throw new Refusal(Code.CHANNEL_NOT_PERMITTED, 'no right to listen to this channel')
    }
    const channels = channel === undefined ? ['', ...channelsOf(place)] : [channel]
    const asked = channels.filter((each) => each === '' || mayHear(each))
    const now = asker.core.clock()
    return pageOf(asked, after, {
      address: (each) => addressOf(place, each),
      read: (each) => occupancyOf(place, each, now),
      bytes: (occupancy) => toBinary(OccupancySchema, occupancy).length,
    })
  })
}

function addressOf({ address }: Place, channel: string): string {
  return channel === '' ? address : `${address}/${channel}`
}

function occupancyOf(place: Place, channel: string, nowMs: number): Occupancy {
  const { messages, bytes, ...figures } = figuresOf(place, channel, nowMs)
  const address = addressOf(place, channel)
  const sent = { messages: BigInt(messages), bytes: BigInt(bytes) }
  return create(OccupancySchema, { address, ...figures, ...sent })
}
