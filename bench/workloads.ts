/** What is measured: each workload is one shape of traffic in one regime. */

export interface Workload {
  readonly id: string
  readonly title: string
  /** Flags of the generator; see generator/main.go. */
  readonly generator: readonly string[]
}

export const workloads: readonly Workload[] = [
  {
    id: 'w1-100',
    title: 'W1 fan-out, 1 publisher, 100 members, 128 bytes, burst (32 outstanding)',
    generator: ['-workload=fanout', '-members=100', '-window=32', '-size=128'],
  },
  {
    id: 'w1-1000',
    title: 'W1 fan-out, 1 publisher, 1,000 members, 128 bytes, burst (32 outstanding)',
    generator: ['-workload=fanout', '-members=1000', '-window=32', '-size=128'],
  },
  {
    id: 'w1-100-rate',
    title: 'W1 fan-out, 1 publisher, 100 members, 128 bytes, 300 a second',
    generator: ['-workload=fanout', '-members=100', '-rate=300', '-size=128'],
  },
  {
    id: 'w1-1000-rate',
    title: 'W1 fan-out, 1 publisher, 1,000 members, 128 bytes, 30 a second',
    generator: ['-workload=fanout', '-members=1000', '-rate=30', '-size=128'],
  },
  {
    id: 'w2',
    title: 'W2 request and reply in 500 rooms of 2, 128 bytes, saturated',
    generator: ['-workload=exchange', '-members=500', '-size=128'],
  },
  {
    id: 'w3',
    title: 'W3 200 senders, 1 subscriber, 64 bytes, acknowledged (4 outstanding each)',
    generator: ['-workload=ingest', '-members=200', '-window=4', '-size=64'],
  },
]

/** The rooms that the workloads use, as named by the generator. */
export const roomNames: readonly string[] = [
  'w1',
  ...Array.from({ length: 500 }, (_, n) => `w2-${n}`),
  'w3',
]
