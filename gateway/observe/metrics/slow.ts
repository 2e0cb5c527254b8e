/** Sockets that do not keep up, and what it costs. */
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { PHASES, type Phase, type Stuck, stuckSockets } from '../../session/slow.ts'
import { type Family, type Measured, type Sample, single } from './family.ts'

function byPhase(value: (stuck: Stuck) => number) {
  return ({ core, sessions }: Measured): Sample[] => {
    const sums = new Map<Phase, number>(PHASES.map((phase) => [phase, 0]))
    for (const stuck of stuckSockets(core, sessions.all)) {
      sums.set(stuck.phase, (sums.get(stuck.phase) ?? 0) + value(stuck))
    }
    return [...sums].map(([phase, sum]) => ({ value: sum, labels: { phase } }))
  }
}

/** Who is disconnected is refused, by SLOW_CONSUMER, and loses no single messages. */
function lost({ core }: Measured): Sample[] {
  const { lost: counts } = core.counts
  const sample = (policy: string, value: number) => ({ value, labels: { policy } })
  return [
    sample('drop_oldest', counts.of(Policy.DROP_OLDEST)),
    sample('drop_newest', counts.of(Policy.DROP_NEWEST)),
    sample('conflate', counts.of(Policy.CONFLATE)),
  ]
}

export const slow: readonly Family[] = [
  {
    type: 'gauge',
    name: 'porthouse_slow_sockets',
    help: 'Sockets that something waits for, or that wait themselves, by what they are stuck in.',
    labels: ['phase'],
    read: byPhase(() => 1),
  },
  {
    type: 'gauge',
    name: 'porthouse_slow_bytes',
    help: 'Bytes that wait for them; of those who catch up it is not known.',
    labels: ['phase'],
    read: byPhase(({ bytes }) => bytes),
  },
  single(
    'counter',
    'porthouse_slowed_total',
    'How often something began to wait for a socket that does not read.',
    ({ core }) => core.counts.slowed,
  ),
  {
    type: 'counter',
    name: 'porthouse_messages_lost_total',
    help: 'Messages that gave way for a slow socket, which was told, by the policy of their room.',
    labels: ['policy'],
    read: lost,
  },
]
