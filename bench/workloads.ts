/** What is measured: each workload is one shape of traffic in one regime. */
import type { KindName } from './kinds.ts'

export interface Workload {
  readonly id: string
  readonly title: string
  /** What is found out. */
  readonly kind: KindName
  /** Flags of the generator; see generator/main.go. */
  readonly generator: readonly string[]
  /** What a short run has instead. */
  readonly quick?: Pick<Workload, 'title' | 'generator'>
  /** How porthouse is spoken with; `both`: by half of the members each. */
  readonly protocol: 'websocket' | 'mqtt' | 'both'
  /** A peer that no goal asks for stands beside for information: in one round of a full run. */
  readonly peers: readonly string[]
  /** Rounds where none are asked for: more than others have, since its figures move more. */
  readonly rounds?: number
}

const webSocket = {
  kind: 'deliveries',
  protocol: 'websocket',
  peers: ['porthouse', 'floor', 'ws', 'socketio', 'nats'],
} as const

const mqtt = {
  kind: 'deliveries',
  protocol: 'mqtt',
  peers: ['porthouse', 'mosquitto', 'aedes'],
} as const

const both = { kind: 'deliveries', protocol: 'both', peers: ['porthouse'] } as const
const durable = { kind: 'durable', protocol: 'websocket' } as const

function idle(members: number): string[] {
  return ['-workload=idle', `-members=${members}`, '-rooms=500', '-size=16']
}

export const workloads: readonly Workload[] = [
  {
    id: 'w1-100',
    title: 'W1 fan-out, 1 publisher, 100 members, 128 bytes, burst (32 outstanding)',
    generator: ['-workload=fanout', '-members=100', '-window=32', '-size=128'],
    ...webSocket,
  },
  {
    id: 'w1-1000',
    title: 'W1 fan-out, 1 publisher, 1,000 members, 128 bytes, burst (32 outstanding)',
    generator: ['-workload=fanout', '-members=1000', '-window=32', '-size=128'],
    ...webSocket,
  },
  {
    id: 'w1-100-rate',
    title: 'W1 fan-out, 1 publisher, 100 members, 128 bytes, 300 a second',
    generator: ['-workload=fanout', '-members=100', '-rate=300', '-size=128'],
    rounds: 5,
    ...webSocket,
  },
  {
    id: 'w1-1000-rate',
    title: 'W1 fan-out, 1 publisher, 1,000 members, 128 bytes, 30 a second',
    generator: ['-workload=fanout', '-members=1000', '-rate=30', '-size=128'],
    ...webSocket,
  },
  {
    id: 'w1-100-busy',
    title: 'W1 fan-out, 1 publisher, 100 members, 128 bytes, 1,000 a second',
    generator: ['-workload=fanout', '-members=100', '-rate=1000', '-size=128'],
    ...webSocket,
    peers: ['porthouse', 'floor'],
  },
  {
    id: 'w1-100-window',
    title: 'W1 fan-out, 100 members, 1,000 a second, in a room with a flush window of 5 ms',
    generator: ['-workload=fanout', '-members=100', '-rate=1000', '-size=128', '-room=w1-window'],
    ...webSocket,
    peers: ['porthouse'],
  },
  {
    id: 'w1-100-sixth',
    title: 'What is left of it with 6 messages a window: 768 bytes, 167 a second',
    generator: ['-workload=fanout', '-members=100', '-rate=167', '-size=768'],
    ...webSocket,
    peers: ['floor'],
  },
  {
    id: 'w2',
    title: 'W2 request and reply in 500 rooms of 2, 128 bytes, saturated',
    generator: ['-workload=exchange', '-members=500', '-size=128'],
    ...webSocket,
  },
  {
    id: 'w3',
    title: 'W3 200 senders, 1 subscriber, 64 bytes, acknowledged (4 outstanding each)',
    generator: ['-workload=ingest', '-members=200', '-window=4', '-size=64'],
    ...webSocket,
  },
  {
    id: 'mqtt-w1-100',
    title: 'W1 by MQTT, QoS 0, 1 publisher, 100 members, 128 bytes, burst (32 outstanding)',
    generator: ['-workload=fanout', '-members=100', '-window=32', '-size=128'],
    ...mqtt,
  },
  {
    id: 'mqtt-cross',
    title: 'W1 by both, 50 members each, 128 bytes, burst (32 outstanding), published by WebSocket',
    generator: ['-workload=fanout', '-members=100', '-window=32', '-size=128'],
    ...both,
  },
  {
    id: 'mqtt-cross-back',
    title: 'W1 by both, 50 members each, 128 bytes, burst (32 outstanding), published by MQTT',
    generator: ['-workload=fanout', '-members=100', '-window=32', '-size=128', '-mqtt-publishes'],
    ...both,
  },
  {
    id: 'mqtt-w3',
    title: 'W3 by MQTT, QoS 1, 200 senders, 1 subscriber, 64 bytes (4 outstanding each)',
    generator: ['-workload=ingest', '-members=200', '-window=4', '-size=64'],
    ...mqtt,
  },
  {
    id: 'w4',
    title: 'W4 10,000 idle connections, each in one of 500 rooms',
    generator: idle(10_000),
    quick: {
      title: 'W4 4,000 idle connections, each in one of 500 rooms',
      generator: idle(4_000),
    },
    ...webSocket,
    kind: 'idle',
  },
  {
    id: 'mqtt-w4',
    title: 'W4 by MQTT, 10,000 idle connections, each in one of 500 rooms',
    generator: idle(10_000),
    quick: {
      title: 'W4 by MQTT, 4,000 idle connections, each in one of 500 rooms',
      generator: idle(4_000),
    },
    ...mqtt,
    kind: 'idle',
  },
  {
    id: 'w5',
    title: 'W5 100 members, 2 KB, 300 a second, one stops reading',
    generator: ['-workload=stalled', '-members=100', '-rate=300', '-size=2048'],
    ...webSocket,
    kind: 'stalled',
  },
  {
    id: 'mqtt-w5',
    title: 'W5 by MQTT, QoS 0, 100 members, 2 KB, 300 a second, one stops reading',
    generator: ['-workload=stalled', '-members=100', '-rate=300', '-size=2048'],
    ...mqtt,
    kind: 'stalled',
  },
  {
    id: 'w6-stored',
    title: 'W6 50 senders to one durable room, 128 bytes, told as stored (16 outstanding each)',
    generator: ['-workload=durable', '-members=50', '-window=16', '-size=128', '-receipt=stored'],
    peers: ['porthouse', 'jetstream-sync', 'append-800', 'unnest-800'],
    ...durable,
  },
  {
    id: 'w6-stored-64',
    title: 'W6 50 senders to one durable room, 128 bytes, told as stored (64 outstanding each)',
    generator: ['-workload=durable', '-members=50', '-window=64', '-size=128', '-receipt=stored'],
    peers: ['porthouse', 'jetstream-sync', 'append-128', 'unnest-128'],
    ...durable,
  },
  {
    id: 'w6-stored-rooms',
    title: 'W6 50 senders to 50 durable rooms, 128 bytes, told as stored (16 outstanding each)',
    generator: [
      ...['-workload=durable', '-members=50', '-window=16', '-size=128', '-receipt=stored'],
      '-rooms=50',
    ],
    peers: ['porthouse'],
    ...durable,
  },
  {
    id: 'w6-accepted',
    title: 'W6 50 senders to one durable room, 128 bytes, told as accepted (16 outstanding each)',
    generator: ['-workload=durable', '-members=50', '-window=16', '-size=128', '-receipt=accepted'],
    peers: ['porthouse', 'jetstream', 'append-800'],
    ...durable,
  },
  {
    id: 'codec',
    title: 'Codec, one envelope: scanned and stamped, or decoded and encoded by generated code',
    kind: 'codec',
    generator: [],
    protocol: 'websocket',
    peers: ['porthouse', 'protobuf'],
  },
]
