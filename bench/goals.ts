/** The goals: met when each of their figures, of medians of all rounds, is within its bound. */

/** The median of a figure in a workload at a peer; NaN where it is not known. */
export type Median = (workload: string, peer: string, figure: string) => number

export interface Bound {
  /** Follows the figure: what it is, with its unit. */
  readonly says: string
  readonly most?: number
  readonly least?: number
  value(median: Median): number
}

export interface Goal {
  readonly id: string
  /** Workloads that it needs; the first is what it is about. */
  readonly workloads: readonly [string, ...string[]]
  /** Peers that it needs beside porthouse. */
  readonly peers: readonly string[]
  readonly bounds: readonly Bound[]
}

/** Porthouse's CPU per delivery as a share of each peer's. */
function cheaper(id: string, workload: string, most: Readonly<Record<string, number>>): Goal {
  const bounds = Object.entries(most).map(([peer, most]) => ({
    says: `x ${peer}`,
    most,
    value: (median: Median) => median(workload, 'porthouse', 'cpu') / median(workload, peer, 'cpu'),
  }))
  return { id, workloads: [workload], peers: Object.keys(most), bounds }
}

/** A figure of porthouse's own. */
function own(workload: string, figure: string, bound: Omit<Bound, 'value'>): Bound {
  return { ...bound, value: (median) => median(workload, 'porthouse', figure) }
}

const alike: Bound = {
  says: 'x the mean of WebSocket alone and MQTT alone',
  most: 1.15,
  value(median) {
    const cost = (workload: string) => median(workload, 'porthouse', 'cpu')
    const together = cost('mqtt-cross') + cost('mqtt-cross-back')
    return together / (cost('w1-100') + cost('mqtt-w1-100'))
  },
}

export const goals: readonly Goal[] = [
  cheaper('G1', 'w1-100', { socketio: 0.05, ws: 0.8, nats: 1 }),
  cheaper('G2', 'w1-1000', { socketio: 0.036, nats: 0.5 }),
  cheaper('G3', 'w1-100-rate', { socketio: 0.7 }),
  cheaper('G5', 'w2', { socketio: 0.36, nats: 0.55, ws: 0.85 }),
  cheaper('G6', 'w3', { socketio: 0.15, nats: 0.75, ws: 0.9 }),
  cheaper('G7', 'mqtt-w3', { aedes: 0.45, mosquitto: 0.55 }),
  cheaper('G8', 'mqtt-w1-100', { aedes: 0.18, mosquitto: 0.22 }),
  {
    id: 'G9',
    workloads: ['mqtt-cross', 'mqtt-cross-back', 'w1-100', 'mqtt-w1-100'],
    peers: [],
    bounds: [alike],
  },
  {
    id: 'G10',
    workloads: ['mqtt-w4'],
    peers: [],
    bounds: [own('mqtt-w4', 'memory', { says: ' KB a connection', most: 12 })],
  },
  {
    id: 'G11',
    workloads: ['mqtt-w5'],
    peers: [],
    bounds: [
      own('mqtt-w5', 'share', { says: ' % to the others', least: 99.9 }),
      own('mqtt-w5', 'slower', { says: 'x their p99 before', most: 1.3 }),
      own('mqtt-w5', 'growth', { says: ' MB of growth', most: 2 }),
      own('mqtt-w5', 'shedAfter', { says: ' s until it is shed', most: 5 }),
    ],
  },
  // The gateway's scanner and stamp against decoding and encoding with the generated code:
  // codec.ts.
  cheaper('G14', 'codec', { protobuf: 0.1 }),
]

export interface Verdict {
  readonly goal: Goal
  readonly found: readonly { bound: Bound; value: number; met: boolean }[]
  readonly met: boolean
}

/** Judges goals; after a leg that failed a figure is NaN, and its goal missed. */
export function judge(planned: readonly Goal[], median: Median): Verdict[] {
  return planned.map((goal) => {
    const found = goal.bounds.map((bound) => {
      const value = bound.value(median)
      const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = bound
      return { bound, value, met: value >= least && value <= most }
    })
    return { goal, found, met: found.every(({ met }) => met) }
  })
}
