/** Who is connected, and where. */
import { MEDIA, type Tally } from '../counts.ts'
import { type Family, type Labels, type Measured, type Sample, single } from './family.ts'

/** One sample a medium. */
export function byMedium(read: (tally: Tally) => number) {
  return ({ core }: Measured): Sample[] =>
    MEDIA.map((medium) => ({ value: read(core.counts.media[medium]), labels: { medium } }))
}

function* states({ core }: Measured): Iterable<Sample> {
  for (const medium of MEDIA) {
    const { sockets, unlocked } = core.counts.media[medium]
    const of = (state: string): Labels => ({ medium, state })
    yield { value: sockets - unlocked, labels: of('limbo') }
    yield { value: unlocked, labels: of('unlocked') }
  }
}

function memberships({ core }: Measured): number {
  let sum = 0
  for (const { members } of core.rooms.loaded) sum += members
  return sum
}

export const sockets: readonly Family[] = [
  {
    type: 'gauge',
    name: 'porthouse_sockets',
    help: 'Live sockets: in limbo, or unlocked.',
    labels: ['medium', 'state'],
    read: states,
  },
  {
    type: 'counter',
    name: 'porthouse_sockets_opened_total',
    help: 'Sockets that were opened.',
    labels: ['medium'],
    read: byMedium(({ opened }) => opened),
  },
  single(
    'gauge',
    'porthouse_connections',
    'TCP connections that connections.max counts, those of plain HTTP among them.',
    ({ connections }) => connections.count,
  ),
  single(
    'gauge',
    'porthouse_connections_max',
    'Setting connections.max.',
    ({ config }) => config.connections.max,
  ),
  single('gauge', 'porthouse_rooms', 'Rooms that are loaded.', ({ core }) => core.rooms.count),
  single('gauge', 'porthouse_memberships', 'Sockets in rooms, each once a room.', memberships),
]
