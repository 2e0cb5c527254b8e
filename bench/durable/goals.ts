/** What the durable legs are judged by: medians of all rounds. */
import { summarize } from '../statistics.ts'
import type { Figures } from './figures.ts'

export interface Bound {
  readonly goal: string
  readonly says: string
  /** Legs that it is about; the first is porthouse's. */
  readonly legs: readonly [own: string, peer?: string]
  /** What is compared: the ratio of the legs' rates, or the first one's p99 in milliseconds. */
  readonly of: 'rate' | 'p99' | 'storedP99'
  readonly least?: number
  readonly most?: number
}

export const bounds: readonly Bound[] = [
  {
    goal: 'G12',
    says: 'acks/s, JetStream synced',
    legs: ['stored-16', 'nats-sync-16'],
    of: 'rate',
    least: 12,
  },
  { goal: 'G12', says: 'p99 ack, ms', legs: ['stored-16'], of: 'p99', most: 25 },
  {
    goal: 'G12',
    says: 'acks/s, window 64, bare unnest of 128',
    legs: ['stored-64', 'unnest-128'],
    of: 'rate',
    least: 0.5,
  },
  {
    goal: 'G13',
    says: 'acks/s, JetStream default',
    legs: ['accepted-16', 'nats-16'],
    of: 'rate',
    least: 0.5,
  },
  { goal: 'G13', says: 'p99 ack, ms', legs: ['accepted-16'], of: 'p99', most: 10 },
  {
    goal: 'G13',
    says: 'p99 until it is stored, ms',
    legs: ['accepted-16'],
    of: 'storedP99',
    most: 50,
  },
]

export interface Judgement {
  readonly bound: Bound
  /** NaN where a leg failed each time. */
  readonly value: number
  readonly met: boolean
}

/** Judges what these legs are about; after one that failed, it is missed. */
export function judge(
  legs: readonly string[],
  rounds: Readonly<Record<string, readonly Figures[]>>,
): Judgement[] {
  const median = (leg: string, key: Bound['of']) => {
    const values = (rounds[leg] ?? []).map((figures) => figures[key] ?? Number.NaN)
    return values.length > 0 ? summarize(values).median : Number.NaN
  }
  const planned = bounds.filter((bound) =>
    bound.legs.every((leg) => leg === undefined || legs.includes(leg)),
  )
  return planned.map((bound) => {
    const [own, peer] = bound.legs
    const value = median(own, bound.of) / (peer === undefined ? 1 : median(peer, bound.of))
    const { least = 0, most = Number.POSITIVE_INFINITY } = bound
    return { bound, value, met: value >= least && value <= most }
  })
}
