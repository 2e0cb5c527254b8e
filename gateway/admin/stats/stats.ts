/** How many are there, and how much is sent (R23): asked for, and shown again and again. */
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect'
import { type Stats, StatsSchema, type StatsService } from '@porthouse/proto/admin/v1/stats_service'
import { invalid } from '../../protocol/violations.ts'
import { channelsOf } from '../../router/figures.ts'
import { slowConsumers } from '../../session/slow.ts'
import { inOpenRoom } from '../../session/walk.ts'
import { pause } from '../calls/bell.ts'
import { callOf } from '../calls/call.ts'
import { theLive } from '../live.ts'
import { livePage } from '../live-page.ts'
import { match, ROOM, unknownResource } from '../names.ts'
import type { AdminParts } from '../parts.ts'
import { scopeOf } from '../scope.ts'
import { socketsOf } from '../sockets/filter.ts'
import { msOf } from '../spans.ts'
import { accountStats, busiest, gatewayStats, placeStats, roomsOf } from './figures.ts'
import { Recent } from './recent.ts'
import { shownSlow } from './slow.ts'

/** Of WatchStats, in milliseconds. */
const INTERVAL = { least: 200, most: 3_600_000, absent: 2_000 }

/** Slow consumers that are looked for in one call: those that are slow for longest. */
const SLOW_MAX = 10_000

export function statsService(parts: AdminParts): ServiceImpl<typeof StatsService> {
  const { pages } = parts
  const recent = new Recent<Stats>(parts.uptime)
  return {
    async getStats({ name, channel }, context) {
      return (await reader(parts, recent, { name, channel }, context)).read()
    },

    async *watchStats({ name, channel, interval, rooms }, context) {
      const { live, scope, read } = await reader(parts, recent, { name, channel }, context)
      const ms = msOf('interval', interval, INTERVAL)
      const { signal } = callOf(context)
      while (!signal.aborted) {
        const stats = await read()
        yield { stats, rooms: scope ? busiest(live, scope, rooms) : [] }
        await pause(ms, signal)
      }
    },

    async listRoomStats(request, context) {
      const { core } = theLive(parts)
      const scope = await scopeOf(parts, request.parent, context)
      const now = core.clock()
      const { entries: rooms, nextPageToken } = livePage(pages, request, context, {
        all: roomsOf(core, scope),
        name: ({ place }) => place.name,
        read: ({ place }) => placeStats(place, '', now),
        schema: StatsSchema,
      })
      return { rooms, nextPageToken }
    },

    async listChannelStats(request, context) {
      const { core } = theLive(parts)
      const answer = await inOpenRoom(core, roomIn(request.parent)!, ({ place }) => {
        const now = core.clock()
        return livePage(pages, request, context, {
          all: channelsOf(place),
          name: (channel) => channel,
          read: (channel) => placeStats(place, channel, now),
          schema: StatsSchema,
        })
      })
      if (!answer) throw unknownResource(request.parent)
      return { channels: answer.entries, nextPageToken: answer.nextPageToken }
    },

    async listSlowConsumers(request, context) {
      const live = theLive(parts)
      const scope = await scopeOf(parts, request.parent, context)
      const query = [callOf(context).principal.id, 'slow', request.parent]
      const page = pages.page<number>(request, query)
      const from = page.after ?? 0
      const most = Math.min(SLOW_MAX, from + page.limit + 1)
      const found = slowConsumers(live.core, socketsOf(live, scope), most).slice(from)
      const { items, nextPageToken } = pages.cut(found, page, query, () => from + page.limit)
      return { consumers: items.map(shownSlow), nextPageToken }
    },
  }
}

interface Asked {
  readonly name: string
  readonly channel: string
}

/** Reads what was asked for, as often as that is wanted; `scope`: of an account, or of all. */
async function reader(
  parts: AdminParts,
  recent: Recent<Stats>,
  { name, channel }: Asked,
  context: HandlerContext,
) {
  const live = theLive(parts)
  const { core } = live
  const room = roomIn(name)
  if (room) {
    const read = async () => {
      const stats = await inOpenRoom(core, room, ({ place }) =>
        placeStats(place, channel, core.clock()),
      )
      if (!stats) throw unknownResource(name)
      return stats
    }
    return { live, scope: undefined, read }
  }
  if (channel !== '') throw invalid('channel', 'is of a room, which name has to be then')
  const scope = await scopeOf(parts, name, context)
  const { account } = scope
  const whole = account ? `accounts/${account.slug}` : name
  const make = () => (account ? accountStats(live, scope, whole) : gatewayStats(live, scope))
  return { live, scope, read: async () => recent.get(whole, make) }
}

function roomIn(name: string) {
  const [account = '', room = ''] = match(ROOM, name) ?? []
  return room === '' ? undefined : { account, room }
}
