/** `porthouse top`: rooms, rates and slow consumers, again and again. */

import { toJson } from '@bufbuild/protobuf'
import { durationFromMs } from '@bufbuild/protobuf/wkt'
import type { Client } from '@connectrpc/connect'
import {
  type SlowConsumer,
  StatsService,
  type WatchStatsResponse,
  WatchStatsResponseSchema,
} from '@porthouse/proto/admin/v1/stats_service'
import { harmless, print, printJson, styled } from '../output.ts'
import { parseCount, parseSeconds } from '../quantity.ts'
import { idIn } from '../resource.ts'
import { type AdminOptions, withAdmin } from '../with-admin.ts'
import { inBytes, perSecond } from './amounts.ts'
import { follow } from './shown.ts'
import { phaseOf, placeOf, statsResource } from './stats.ts'

interface TopOptions extends AdminOptions {
  readonly interval: string
  readonly count?: string
  readonly rooms: string
}

/** From the upper left corner, and what stood there is wiped. */
const HOME = '\x1b[H\x1b[J'

const SLOW_MAX = 5
const WIDTH = 44

/** Until somebody ends it, or `--count` views were shown. */
export async function top(
  of: string | undefined,
  { json, interval, count, rooms, ...options }: TopOptions,
): Promise<void> {
  const name = statsResource(of)
  const every = durationFromMs(parseSeconds(interval, '--interval'))
  const views = count === undefined ? Number.POSITIVE_INFINITY : parseCount(count)
  const query = { name, interval: every, rooms: parseCount(rooms, '--rooms') }
  await withAdmin(options, async (admin) => {
    const stats = admin(StatsService)
    let shown = 0
    await follow(
      (call) => stats.watchStats(query, call),
      async (told) => {
        if (json) printJson(toJson(WatchStatsResponseSchema, told))
        else printView(told, await slowest(name, stats))
        return ++shown < views
      },
    )
  })
}

/** Of a room nobody says which of its sockets are slow. */
async function slowest(
  name: string,
  stats: Client<typeof StatsService>,
): Promise<readonly SlowConsumer[]> {
  if (name.includes('/rooms/')) return []
  const { consumers } = await stats.listSlowConsumers({ parent: name, pageSize: SLOW_MAX })
  return consumers
}

function printView({ stats, rooms }: WatchStatsResponse, slow: readonly SlowConsumer[]): void {
  if (!stats) return
  const { name, sockets, clients, lockedSockets, slowSockets } = stats
  const inRooms = name.includes('/rooms/') ? '' : `  rooms ${stats.rooms}`
  const lines = [
    styled('bold', `${placeOf(name)}  ${new Date().toISOString()}`),
    `sockets ${sockets}  clients ${clients}${inRooms}`,
    `locked ${lockedSockets}  slow ${slowSockets}`,
    `messages/s ${perSecond(stats.messagesPerSecond)}  bytes/s ${inBytes(stats.bytesPerSecond)}`,
    '',
    ...(rooms.length > 0 ? [styled('bold', row('room', 'sockets', 'messages/s', 'bytes/s'))] : []),
    ...rooms.map((room) =>
      row(
        placeOf(room.name),
        `${room.sockets}`,
        perSecond(room.messagesPerSecond),
        inBytes(room.bytesPerSecond),
      ),
    ),
    ...(slow.length > 0 ? ['', styled('bold', row('slow', 'bytes', 'stuck in', ''))] : []),
    ...slow.map(({ socket, waitingBytes, phase }) =>
      row(idIn(socket), inBytes(Number(waitingBytes)), phaseOf(phase), ''),
    ),
  ]
  print(`${process.stdout.isTTY ? HOME : ''}${lines.map(harmless).join('\n')}`)
}

function row(first: string, ...rest: string[]): string {
  return [first.padEnd(WIDTH), ...rest.map((cell) => cell.padStart(12))].join(' ').trimEnd()
}
