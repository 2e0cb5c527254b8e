/** `porthouse stats …`: how much is where (R23), and who does not keep up. */
import {
  type SlowConsumer,
  SlowConsumerSchema,
  type SlowPhase,
  SlowPhaseSchema,
  type Stats,
  StatsSchema,
  StatsService,
} from '@porthouse/proto/admin/v1/stats_service'
import { ALL, idIn, parentResource, roomResource } from '../resource.ts'
import { type AdminOptions, everyOf, withAdmin } from '../with-admin.ts'
import { inBytes, perSecond } from './amounts.ts'
import { type Columns, printItem, printItems } from './shown.ts'

interface ShowOptions extends AdminOptions {
  readonly channel?: string
}

export const STATS: Columns<Stats> = {
  place: ({ name, channel }) => placeOf(name, channel),
  sockets: ({ sockets }) => `${sockets}`,
  clients: ({ clients }) => `${clients}`,
  messages: ({ messages }) => `${messages}`,
  bytes: ({ bytes }) => inBytes(Number(bytes)),
  'messages/s': ({ messagesPerSecond }) => perSecond(messagesPerSecond),
  'bytes/s': ({ bytesPerSecond }) => inBytes(bytesPerSecond),
}

const SLOW: Columns<SlowConsumer> = {
  socket: ({ socket }) => idIn(socket),
  'stuck in': ({ phase }) => phaseOf(phase),
  bytes: ({ waitingBytes }) => inBytes(Number(waitingBytes)),
  messages: ({ waitingMessages }) => `${waitingMessages}`,
  'for (s)': ({ slow }) => `${slow?.seconds ?? 0n}`,
}

/** Of all, of an account or of a room. */
export async function showStats(
  of: string | undefined,
  { json, channel = '', ...options }: ShowOptions,
): Promise<void> {
  const name = statsResource(of)
  const stats = await withAdmin(options, (admin) => admin(StatsService).getStats({ name, channel }))
  printItem(StatsSchema, stats, STATS, json)
}

/** Rooms of an account or of all, or the channels of a room. */
export async function listStats(of: string | undefined, options: AdminOptions): Promise<void> {
  const { json } = options
  const parent = statsResource(of)
  const found = await withAdmin(options, (admin) => {
    const stats = admin(StatsService)
    return parent.includes('/rooms/')
      ? everyOf(
          (page) => stats.listChannelStats({ parent, ...page }),
          (page) => page.channels,
        )
      : everyOf(
          (page) => stats.listRoomStats({ parent, ...page }),
          (page) => page.rooms,
        )
  })
  printItems(StatsSchema, found, STATS, json)
}

export async function listSlow(of: string | undefined, options: AdminOptions): Promise<void> {
  const parent = parentResource(of ?? ALL)
  const found = await withAdmin(options, (admin) =>
    everyOf(
      (page) => admin(StatsService).listSlowConsumers({ parent, ...page }),
      (page) => page.consumers,
    ),
  )
  printItems(SlowConsumerSchema, found, SLOW, options.json)
}

/** `-`, ACCOUNT or ACCOUNT/ROOM. */
export function statsResource(of = ALL): string {
  return of.includes('/') ? roomResource(of) : parentResource(of)
}

export function placeOf(name: string, channel = ''): string {
  const address = name === ALL ? 'all' : name.replace('accounts/', '').replace('/rooms/', '/')
  return channel === '' ? address : `${address}/${channel}`
}

export function phaseOf(phase: SlowPhase): string {
  const name = SlowPhaseSchema.value[phase]?.localName ?? 'UNSPECIFIED'
  return name.toLowerCase().replaceAll('_', ' ')
}
