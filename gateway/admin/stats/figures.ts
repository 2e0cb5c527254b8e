/** Stats of a part of what is live, as they are now (R23). */
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { type Stats, StatsSchema } from '@porthouse/proto/admin/v1/stats_service'
import type { Room } from '../../rooms/rooms.ts'
import { type Figures, figuresOf } from '../../router/figures.ts'
import type { Place } from '../../router/place.ts'
import type { Core } from '../../session/core.ts'
import { knownAs } from '../../session/identity/known-as.ts'
import type { Session } from '../../session/session.ts'
import { stuckSockets } from '../../session/slow.ts'
import { roomName } from '../live-names.ts'
import type { LiveParts } from '../parts.ts'
import type { Scope } from '../scope.ts'
import { socketsOf } from '../sockets/filter.ts'

/** `channel`: `` for the room with all its channels. */
export function placeStats(place: Place, channel: string, nowMs: number): Stats {
  const name = roomName(place.name)
  return stats({ name, channel, ...sent(figuresOf(place, channel, nowMs)) }, nowMs)
}

/** `name`: of the account. */
export function accountStats(live: LiveParts, scope: Scope, name: string): Stats {
  const now = live.core.clock()
  const rooms = [...roomsOf(live.core, scope)]
  const all = rooms.map(({ place }) => figuresOf(place, '', now)).reduce(sum, NONE)
  return stats({ name, ...sent(all), ...headcount(live, scope), rooms: rooms.length }, now)
}

export function gatewayStats(live: LiveParts, scope: Scope): Stats {
  const { rooms, totals, rates } = live.sessions.snapshot()
  const all = {
    ...NONE,
    messages: totals.messagesIn,
    bytes: totals.bytesIn,
    messagesPerSecond: rates.messagesIn,
    bytesPerSecond: rates.bytesIn,
  }
  const value = { name: '-', ...sent(all), ...headcount(live, scope), rooms }
  return stats(value, live.core.clock())
}

/** Those that are sent to most, a second, first. */
export function busiest({ core }: LiveParts, scope: Scope, count: number): Stats[] {
  const now = core.clock()
  const found: { readonly rate: number; readonly place: Place }[] = []
  for (const { place } of count > 0 ? roomsOf(core, scope) : []) {
    const rate = place.traffic.room.rates(now).messages
    const at = found.findLastIndex((each) => each.rate >= rate) + 1
    if (at < count) found.splice(at, 0, { rate, place })
    if (found.length > count) found.pop()
  }
  return found.map(({ place }) => placeStats(place, '', now))
}

/** Those that are loaded. */
export function* roomsOf({ rooms }: Core, { covers }: Scope): Generator<Room> {
  for (const room of rooms.loaded) if (covers(room.record.account.id)) yield room
}

/** Looks at each socket. */
function headcount(live: LiveParts, scope: Scope) {
  const { core } = live
  const names = new Set<string>()
  const sockets = [...socketsOf(live, scope)]
  let lockedSockets = 0
  for (const session of sockets) {
    if (session.stack.locks.length > 0) lockedSockets++
    const accounts = new Set(session.proofs.flatMap(({ account }) => account?.id ?? []))
    for (const account of accounts) {
      if (scope.covers(account)) for (const name of whoIn(session, account)) names.add(name)
    }
  }
  const slowSockets = [...stuckSockets(core, sockets)].length
  return { sockets: sockets.length, clients: names.size, lockedSockets, slowSockets }
}

/** Its clients; of one that is none, its tokens' connections. */
function whoIn(session: Session, account: string): string[] {
  const names = knownAs(session, account)
  const clients = names.filter((name) => name.startsWith('client:'))
  return clients.length > 0 ? clients : names
}

function stats(value: MessageInitShape<typeof StatsSchema>, nowMs: number): Stats {
  return create(StatsSchema, { ...value, time: timestampFromMs(nowMs) } as never)
}

function sent({ messages, bytes, ...figures }: Figures) {
  return { ...figures, messages: BigInt(messages), bytes: BigInt(bytes) }
}

const NONE: Figures = {
  sockets: 0,
  clients: 0,
  messages: 0,
  bytes: 0,
  messagesPerSecond: 0,
  bytesPerSecond: 0,
}

function sum(a: Figures, b: Figures): Figures {
  const keys = Object.keys(NONE) as (keyof Figures)[]
  return Object.fromEntries(keys.map((key) => [key, a[key] + b[key]])) as unknown as Figures
}
