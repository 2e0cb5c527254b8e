/**
 * Whether memory is flat: what a soak is judged by. Growth is the median of the slopes between all
 * pairs of samples (Theil and Sen), which some samples far off, or one step, do not move.
 */
import { summarize } from '../statistics.ts'
import type { Held } from './held.ts'

/** At rest, after a round. */
export interface Sample extends Held {
  readonly round: number
  readonly seconds: number
  /** What else is there, such as rooms and descriptors. */
  readonly counts: Readonly<Record<string, number>>
}

/** KB, 1,024 bytes each. */
export interface Growth {
  readonly perMinute: number
  readonly perThousandRounds: number
}

export interface Bounds {
  /** Of what is in use. */
  readonly used: Growth
  /** Of what the system has given, which comes and goes in larger pieces. */
  readonly resident: Growth
  /** Of objects of any class, per 1,000 rounds. */
  readonly objects: number
}

export interface Verdict {
  readonly used: Growth
  readonly resident: Growth
  /** By class, per 1,000 rounds. */
  readonly objects: Readonly<Record<string, number>>
  /** What is above its bound; none: memory is flat. */
  readonly grows: readonly string[]
}

/** Fewer say nothing. */
export const SAMPLES_MIN = 6

/** Of samples after the warm-up. Throws a RangeError where they are too few. */
export function judge(samples: readonly Sample[], bounds: Bounds): Verdict {
  if (samples.length < SAMPLES_MIN) throw new RangeError(`${samples.length} samples say nothing`)
  const used = growthOf(samples, ({ heap, buffers }) => heap + buffers)
  const resident = growthOf(samples, (sample) => sample.resident)
  const classes = Object.keys(samples[0]!.objects)
  const objects = Object.fromEntries(classes.map((name) => [name, perThousand(samples, name)]))
  const grows = [
    ...(isAbove(used, bounds.used) ? ['used'] : []),
    ...(isAbove(resident, bounds.resident) ? ['resident'] : []),
    ...classes.filter((name) => objects[name]! > bounds.objects),
    ...Object.keys(samples[0]!.counts).filter((name) => hasGrown(samples, name)),
  ]
  return { used, resident, objects, grows }
}

function isAbove(growth: Growth, bound: Growth): boolean {
  return growth.perMinute > bound.perMinute || growth.perThousandRounds > bound.perThousandRounds
}

function growthOf(samples: readonly Sample[], bytesOf: (sample: Sample) => number): Growth {
  const kb = (sample: Sample) => bytesOf(sample) / 1024
  return {
    perMinute: 60 * slope(samples, ({ seconds }) => seconds, kb),
    perThousandRounds: 1000 * slope(samples, ({ round }) => round, kb),
  }
}

/** Objects of this class, per 1,000 rounds. */
function perThousand(samples: readonly Sample[], name: string): number {
  const countOf = ({ objects }: Sample) => objects[name]!
  return 1000 * slope(samples, ({ round }) => round, countOf)
}

function slope(
  samples: readonly Sample[],
  x: (sample: Sample) => number,
  y: (sample: Sample) => number,
): number {
  const slopes = samples.flatMap((later, i) =>
    samples.slice(0, i).map((earlier) => (y(later) - y(earlier)) / (x(later) - x(earlier))),
  )
  return summarize(slopes).median
}

/** Whether in the last third there were always more than ever in the first. */
function hasGrown(samples: readonly Sample[], name: string): boolean {
  const third = Math.trunc(samples.length / 3)
  const of = (some: readonly Sample[]) => some.map(({ counts }) => counts[name]!)
  return Math.min(...of(samples.slice(-third))) > Math.max(...of(samples.slice(0, third)))
}
