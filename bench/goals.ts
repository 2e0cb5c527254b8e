/**
 * The goals: server CPU per delivery as a ratio to a peer's in the same run, lower is better. A
 * goal is met when each of its ratios, of medians of all rounds, is within its bound.
 */

export interface Goal {
  readonly id: string
  /** Id of a workload. */
  readonly workload: string
  /** Highest ratio to each peer. */
  readonly bounds: Readonly<Record<string, number>>
}

export const goals: readonly Goal[] = [
  { id: 'G1', workload: 'w1-100', bounds: { socketio: 0.05, ws: 0.8, nats: 1 } },
  { id: 'G2', workload: 'w1-1000', bounds: { socketio: 0.036, nats: 0.5 } },
  { id: 'G3', workload: 'w1-100-rate', bounds: { socketio: 0.7 } },
  { id: 'G5', workload: 'w2', bounds: { socketio: 0.36, nats: 0.55, ws: 0.85 } },
  { id: 'G6', workload: 'w3', bounds: { socketio: 0.15, nats: 0.75, ws: 0.9 } },
  // The gateway's scanner and stamp against decoding and encoding with the generated code:
  // codec.ts.
  { id: 'G14', workload: 'codec', bounds: { protobuf: 0.1 } },
]

export interface Verdict {
  readonly goal: Goal
  readonly ratios: readonly { peer: string; ratio: number; bound: number; met: boolean }[]
  readonly met: boolean
}

/**
 * Judges goals. `cost` gives the median cost of a delivery in a workload at a peer, in
 * microseconds; where it is not known, as after a leg that failed, the ratio is NaN and the goal
 * is missed.
 */
export function judge(
  planned: readonly Goal[],
  cost: (workload: string, peer: string) => number | undefined,
): Verdict[] {
  return planned.map((goal) => {
    const own = cost(goal.workload, 'porthouse') ?? Number.NaN
    const ratios = Object.entries(goal.bounds).map(([peer, bound]) => {
      const ratio = own / (cost(goal.workload, peer) ?? Number.NaN)
      return { peer, ratio, bound, met: ratio <= bound }
    })
    return { goal, ratios, met: ratios.every(({ met }) => met) }
  })
}
