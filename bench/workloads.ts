/** What is measured: each workload is one shape of traffic in one regime. */
import type { KindName } from './kinds.ts'

export interface Workload {
  readonly id: string
  readonly title: string
  /** What is found out. */
  readonly kind: KindName
  /** Flags of the generator; see generator/main.go. */
  readonly generator: readonly string[]
  /** How porthouse is spoken with; `both`: by half of the members each. */
  readonly protocol: 'websocket' | 'mqtt' | 'both'
  readonly peers: readonly string[]
  /** Peers that stand beside it for information: a short run leaves them out. */
  readonly beside?: readonly string[]
}

const webSocket = {
  kind: 'deliveries',
  protocol: 'websocket',
  peers: ['porthouse', 'ws', 'socketio', 'nats'],
} as const

const mqtt = {
  kind: 'deliveries',
  protocol: 'mqtt',
  peers: ['porthouse', 'mosquitto', 'aedes'],
} as const

const both = { kind: 'deliveries', protocol: 'both', peers: ['porthouse'] } as const

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
    ...webSocket,
  },
  {
    id: 'w1-1000-rate',
    title: 'W1 fan-out, 1 publisher, 1,000 members, 128 bytes, 30 a second',
    generator: ['-workload=fanout', '-members=1000', '-rate=30', '-size=128'],
    ...webSocket,
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
    id: 'mqtt-w4',
    title: 'W4 by MQTT, 10,000 idle connections, each in one of 500 rooms',
    generator: ['-workload=idle', '-members=10000', '-rooms=500', '-size=16'],
    ...mqtt,
    kind: 'idle',
    beside: ['mosquitto', 'aedes'],
  },
  {
    id: 'mqtt-w5',
    title: 'W5 by MQTT, QoS 0, 100 members, 2 KB, 300 a second, one stops reading',
    generator: ['-workload=stalled', '-members=100', '-rate=300', '-size=2048'],
    ...mqtt,
    kind: 'stalled',
    beside: ['mosquitto', 'aedes'],
  },
]

/** The rooms that the workloads use, as named by the generator. */
export const roomNames: readonly string[] = [
  'w1',
  ...Array.from({ length: 500 }, (_, n) => `w2-${n}`),
  'w3',
]
