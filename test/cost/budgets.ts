/**
 * What a delivery may cost: a message to one who hears it, in W3 with its acknowledgement. These
 * counts do not move with the machine's mood, so a bound stands close above what was measured;
 * where something gets cheaper, both figures go down with it.
 */
import { exchange, fanOut, type Gather, ingest } from './loads.ts'
import type { Costs } from './measure.ts'
import type { StoreCosts } from './statements.ts'

/** What was measured, and the most that passes. */
export type Bound = readonly [measured: number, most: number]

export interface Budget {
  readonly load: string
  readonly gather: Gather
  readonly costs: Readonly<Record<keyof Costs, Bound>>
}

/**
 * The slack. System calls: a tenth, for timers that end within a turn, and in bursts a sixth, for
 * questions whether a peer reads. Heap: less than an object of
 * 64 bytes. Buffers: a pool's next slab of 64 KB, which comes with some samples only. Wire: less
 * than two bytes, the smallest field; a sequence above 127 takes one byte more, which is counted.
 */
export const budgets: readonly Budget[] = [
  {
    // A read, a write for each member, and a turn of the event loop, for 3,200 deliveries.
    load: 'W1 by WebSocket, 32 outstanding',
    gather: fanOut(32, 'websocket', 'websocket'),
    costs: {
      syscalls: [0.032, 0.038],
      writes: [0.0313, 0.036],
      heap: [38, 51],
      buffers: [7, 20],
      wire: [194.1, 195],
    },
  },
  {
    load: 'W1 by WebSocket, one at a time',
    gather: fanOut(1, 'websocket', 'websocket'),
    costs: {
      syscalls: [1.02, 1.12],
      writes: [1, 1.02],
      heap: [288, 313],
      buffers: [5, 40],
      wire: [197, 198.9],
    },
  },
  {
    load: 'W1 by MQTT, QoS 0, 32 outstanding',
    gather: fanOut(32, 'mqtt', 'mqtt'),
    costs: {
      syscalls: [0.032, 0.038],
      writes: [0.0313, 0.036],
      heap: [45, 58],
      buffers: [8, 20],
      wire: [140, 141],
    },
  },
  {
    load: 'W1 by MQTT, QoS 0, one at a time',
    gather: fanOut(1, 'mqtt', 'mqtt'),
    costs: {
      syscalls: [1.02, 1.12],
      writes: [1, 1.02],
      heap: [414, 460],
      buffers: [5, 40],
      wire: [140, 141],
    },
  },
  {
    load: 'W1 from WebSocket to both, 32 outstanding',
    gather: fanOut(32, 'websocket', 'websocket', 'mqtt'),
    costs: {
      syscalls: [0.032, 0.038],
      writes: [0.0313, 0.036],
      heap: [43, 56],
      buffers: [13, 24],
      wire: [167.1, 168],
    },
  },
  {
    load: 'W1 from MQTT to both, 32 outstanding',
    gather: fanOut(32, 'mqtt', 'websocket', 'mqtt'),
    costs: {
      syscalls: [0.032, 0.038],
      writes: [0.0313, 0.036],
      heap: [47, 60],
      buffers: [13, 24],
      wire: [168.1, 169],
    },
  },
  {
    // A read and a write, each of a message alone.
    load: 'W2 by WebSocket, all rooms at once',
    gather: exchange(100),
    costs: {
      syscalls: [2.02, 2.12],
      writes: [1, 1.02],
      heap: [5_010, 5_055],
      buffers: [421, 460],
      wire: [198, 199.5],
    },
  },
  {
    // And a turn of the event loop each.
    load: 'W2 by WebSocket, one at a time',
    gather: exchange(1),
    costs: {
      syscalls: [3.1, 3.7],
      writes: [1, 1.02],
      heap: [5_838, 5_885],
      buffers: [421, 460],
      wire: [198, 199.5],
    },
  },
  {
    // Four publishes in a read, four receipts in a write.
    load: 'W3 by WebSocket, acknowledged',
    gather: ingest('websocket'),
    costs: {
      syscalls: [0.513, 0.56],
      writes: [0.253, 0.27],
      heap: [3_668, 3_713],
      buffers: [493, 530],
      wire: [168, 169.5],
    },
  },
  {
    load: 'W3 by MQTT, QoS 1',
    gather: ingest('mqtt'),
    costs: {
      syscalls: [0.513, 0.56],
      writes: [0.253, 0.27],
      heap: [5_818, 5_865],
      buffers: [507, 545],
      wire: [81, 82],
    },
  },
]

/** Messages that come to a durable room at once, which are stored at once. */
export const DURABLE_BATCH = 256

/** What storing such a batch may cost; of bytes, eight more a message are too many. */
export const durableBudget: Readonly<Record<keyof StoreCosts, Bound>> = {
  roundTrips: [1, 1],
  statements: [1, 1],
  bytes: [68_587, 70_500],
}

/** Bytes of heap in use once it listens: 37 MB, and 96 with what only its start needed. */
export const begunMost = 60e6
