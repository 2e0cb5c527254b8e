/** The goals. Which legs a run needs follows from the figures that they ask for. */
import type { Bound, Goal, Median } from './judge.ts'

/** A figure of one as a share of another's. */
function ratio(of: string, workload: string, figure: string, peer: string) {
  return (median: Median) => median(workload, of, figure) / median(workload, peer, figure)
}

const share = ratio.bind(undefined, 'porthouse')
/** Of what reads and writes as porthouse does, and does nothing else: it shows a wall. */
const floorTo = ratio.bind(undefined, 'floor')

/** Porthouse's CPU a delivery as a share of each peer's. */
function cheaper(workload: string, most: Readonly<Record<string, number>>): Bound[] {
  return Object.entries(most).map(([peer, most]) => ({
    says: `x ${peer}`,
    most,
    value: share(workload, 'cpu', peer),
  }))
}

/** What the protocol asks of whoever forwards a message: that it is scanned and stamped. */
const codec = (median: Median) => median('codec', 'porthouse', 'cpu')
const nothing = () => 0

/** The same, in bounds that Node itself may miss, or Node and `more`. */
function cheaperOrWall(
  workload: string,
  most: Readonly<Record<string, number>>,
  floor = 'the floor',
  more: (median: Median) => number = nothing,
): Bound[] {
  return cheaper(workload, most).map((bound, n) => {
    const peer = Object.keys(most)[n]!
    const value = (median: Median) =>
      (median(workload, 'floor', 'cpu') + more(median)) / median(workload, peer, 'cpu')
    return { ...bound, wall: { says: `x ${peer}: ${floor}`, value } }
  })
}

/** The same of messages that reach one each, so that each delivery pays for a message. */
function forwardedOrWall(workload: string, most: Readonly<Record<string, number>>): Bound[] {
  return cheaperOrWall(workload, most, 'the floor and the codec', codec)
}

/** A figure of porthouse's own. */
function own(workload: string, figure: string, bound: Omit<Bound, 'value'>): Bound {
  return { ...bound, value: (median) => median(workload, 'porthouse', figure) }
}

const together: Bound = {
  says: 'x the mean of WebSocket alone and MQTT alone',
  most: 1.15,
  value(median) {
    const cost = (workload: string) => median(workload, 'porthouse', 'cpu')
    const both = cost('mqtt-cross') + cost('mqtt-cross-back')
    return both / (cost('w1-100') + cost('mqtt-w1-100'))
  },
}

/**
 * By MQTT over TCP nobody can be asked whether he reads (decision 28): what is left is that the
 * kernel takes no more, as the floor sees it.
 */
const unasked: Bound['wall'] = {
  says: ' s until the kernel takes no more of it',
  value: (median) => median('w5', 'floor', 'shedAfter'),
}

/** What one who stops reading may do to others. `word` tells the transport. */
function unmoved(workload: string, word: string, wall?: Bound['wall']): Bound[] {
  return [
    own(workload, 'share', { says: ` % to the others, ${word}`, least: 99.9 }),
    own(workload, 'slower', { says: `x their p99 before, ${word}`, most: 1.3 }),
    own(workload, 'growth', { says: ` MB of growth, ${word}`, most: 2 }),
    own(workload, 'shedAfter', {
      says: ` s until it is shed, ${word}`,
      most: 5,
      ...(wall && { wall }),
    }),
  ]
}

/** What a window costs and spares, beside the same without it. */
const windowed: Bound[] = [
  {
    says: 'x the CPU without it',
    most: 0.25,
    value: (median) => inWindow(median, 'cpu') / withoutWindow(median, 'cpu'),
    wall: {
      says: 'x the floor with a sixth of its writes',
      value: (median) =>
        median('w1-100-sixth', 'floor', 'cpu') / 6 / median('w1-100-busy', 'floor', 'cpu'),
    },
  },
  {
    says: ' ms more of p99',
    most: 6,
    value: (median) => inWindow(median, 'p99') - withoutWindow(median, 'p99'),
  },
]

function inWindow(median: Median, figure: string): number {
  return median('w1-100-window', 'porthouse', figure)
}

function withoutWindow(median: Median, figure: string): number {
  return median('w1-100-busy', 'porthouse', figure)
}

const stored: Bound[] = [
  {
    says: 'x JetStream synced, stored',
    least: 12,
    value: share('w6-stored', 'rate', 'jetstream-sync'),
  },
  own('w6-stored', 'p99', { says: ' ms p99 of a receipt, stored', most: 25 }),
  {
    says: 'x a bare unnest of 128, 64 outstanding',
    least: 0.5,
    value: share('w6-stored-64', 'rate', 'unnest-128'),
  },
]

const accepted: Bound[] = [
  {
    says: 'x JetStream, accepted',
    least: 0.5,
    value: share('w6-accepted', 'rate', 'jetstream'),
  },
  own('w6-accepted', 'p99', { says: ' ms p99 of a receipt, accepted', most: 10 }),
  own('w6-accepted', 'storedP99', { says: ' ms p99 until it is stored', most: 50 }),
]

export const goals: readonly Goal[] = [
  {
    id: 'G1',
    about: 'fan-out to 100, burst',
    bounds: cheaper('w1-100', { socketio: 0.05, ws: 0.8, nats: 1 }),
  },
  {
    id: 'G2',
    about: 'fan-out to 1,000, burst',
    bounds: cheaper('w1-1000', { socketio: 0.036, nats: 0.5 }),
  },
  {
    id: 'G3',
    about: 'fan-out to 100, one by one',
    bounds: cheaperOrWall('w1-100-rate', { socketio: 0.7 }),
  },
  { id: 'G4', about: 'a flush window of 5 ms, while it is busy', bounds: windowed },
  {
    id: 'G5',
    about: 'rooms of two',
    bounds: forwardedOrWall('w2', { socketio: 0.36, nats: 0.55, ws: 0.85 }),
  },
  {
    id: 'G6',
    about: '200 senders, acknowledged',
    bounds: forwardedOrWall('w3', { socketio: 0.15, nats: 0.75, ws: 0.9 }),
  },
  {
    id: 'G7',
    about: '200 senders by MQTT, QoS 1',
    bounds: cheaper('mqtt-w3', { aedes: 0.45, mosquitto: 0.55 }),
  },
  {
    id: 'G8',
    about: 'fan-out to 100 by MQTT, burst',
    bounds: cheaper('mqtt-w1-100', { aedes: 0.18, mosquitto: 0.22 }),
  },
  { id: 'G9', about: 'half by MQTT, half by WebSocket', bounds: [together] },
  {
    id: 'G10',
    about: 'idle connections',
    bounds: [
      own('w4', 'memory', { says: ' KB each', most: 9 }),
      { says: 'x the KB of socketio', most: 0.6, value: share('w4', 'memory', 'socketio') },
      { says: 'x the joins/s of socketio', least: 2, value: share('w4', 'rate', 'socketio') },
      own('mqtt-w4', 'memory', { says: ' KB each, by MQTT', most: 12 }),
    ],
  },
  {
    id: 'G11',
    about: 'one of 100 stops reading',
    bounds: [...unmoved('w5', 'WebSocket'), ...unmoved('mqtt-w5', 'MQTT', unasked)],
  },
  { id: 'G12', about: 'durable, acknowledged once stored', bounds: stored },
  { id: 'G13', about: 'durable, acknowledged once accepted', bounds: accepted },
  { id: 'G14', about: 'codec', bounds: cheaper('codec', { protobuf: 0.1 }) },
  {
    id: 'G15',
    about: 'latency of a fan-out to 100, one by one',
    bounds: [
      { says: 'x the p50 of ws', most: 1.1, value: share('w1-100-rate', 'p50', 'ws') },
      {
        says: 'x the p99 of nats',
        most: 1,
        value: share('w1-100-rate', 'p99', 'nats'),
        wall: {
          says: 'x the p99 of nats: the floor',
          value: floorTo('w1-100-rate', 'p99', 'nats'),
        },
      },
    ],
  },
]
