/** What a leg finds out, by the kind of its workload: read from the line that is printed. */

/** Figures of one leg, by name. */
export type Measurement = Readonly<Record<string, number>>

export interface Column {
  readonly head: string
  /** Name of a figure. */
  readonly figure: string
  readonly digits: number
  /** Drawn in the page of plots as well. */
  readonly drawn?: true
}

export interface Kind {
  /** What the table shows. The first figure is what peers are compared by. */
  readonly columns: readonly Column[]
  read(line: string): Measurement
}

/** See `result` in generator/main.go; bare inserts print the same. */
export interface Result {
  readonly deliveries: number
  /** Reads and writes of the generator; 0 where there is none. */
  readonly calls: number
  readonly seconds: number
  readonly serverCpu: number
  readonly storeCpu: number
  readonly generatorCpu: number
  readonly p50: number
  readonly p99: number
  readonly probeP99: number
  /** Of all time, before and after the measured window too. */
  readonly published: number
}

function parse(line: string): Result {
  const result = JSON.parse(line) as Result
  if (result.deliveries === 0) throw new Error('nothing came in the measured time')
  return result
}

const latency: readonly Column[] = [
  { head: 'p50 ms', figure: 'p50', digits: 2 },
  { head: 'p99 ms', figure: 'p99', digits: 2, drawn: true },
]

const load: Column = { head: 'generator %', figure: 'generatorLoad', digits: 0 }

/** Of rates, latencies and shares, which all of these have. */
function paceOf(result: Result): Measurement {
  const { deliveries, calls, seconds, serverCpu, generatorCpu, p50, p99 } = result
  return {
    // User and kernel time of the server, in microseconds.
    cpu: (serverCpu / deliveries) * 1e6,
    rate: deliveries / seconds,
    calls: calls / deliveries,
    p50,
    p99,
    // Of one core: near 100 it limits the rate, though not the CPU.
    generatorLoad: (generatorCpu / seconds) * 100,
  }
}

const deliveries: Kind = {
  columns: [
    { head: 'CPU us/delivery', figure: 'cpu', digits: 3, drawn: true },
    { head: 'deliveries/s', figure: 'rate', digits: 0, drawn: true },
    ...latency,
    { head: 'calls/delivery', figure: 'calls', digits: 3 },
    load,
  ],
  read: (line) => paceOf(parse(line)),
}

const durable: Kind = {
  columns: [
    { head: 'receipts/s', figure: 'rate', digits: 0, drawn: true },
    ...latency,
    { head: 'stored p99 ms', figure: 'storedP99', digits: 1 },
    { head: 'CPU us/message', figure: 'cpu', digits: 2, drawn: true },
    { head: 'database', figure: 'storeCpu', digits: 2 },
    load,
  ],
  read(line) {
    const result = parse(line)
    return {
      ...paceOf(result),
      storeCpu: (result.storeCpu / result.deliveries) * 1e6,
      // Only a sender that is told twice asks for it.
      ...(result.probeP99 > 0 && { storedP99: result.probeP99 }),
    }
  },
}

/** See `held` in generator/idle.go. */
interface Held {
  connections: number
  seconds: number
  serverCpu: number
  before: number
  with: number
  uncollected: number
}

const idle: Kind = {
  columns: [
    { head: 'KB/connection', figure: 'memory', digits: 2, drawn: true },
    { head: 'with garbage', figure: 'uncollected', digits: 2 },
    { head: 'RSS before, MB', figure: 'before', digits: 0 },
    { head: 'connections/s', figure: 'rate', digits: 0, drawn: true },
    { head: 'CPU us/connection', figure: 'cpu', digits: 0, drawn: true },
  ],
  read(line) {
    const held = JSON.parse(line) as Held
    const each = (resident: number) => (resident - held.before) / held.connections / 1024
    return {
      memory: each(held.with),
      uncollected: each(held.uncollected),
      before: held.before / 1024 ** 2,
      rate: held.connections / held.seconds,
      cpu: (held.serverCpu / held.connections) * 1e6,
    }
  },
}

/** See `withheld` in generator/stalled.go. */
interface Withheld {
  share: number
  before: number
  during: number
  residentBefore: number
  residentDuring: number
  shedAfter: number
  closed: boolean
}

const stalled: Kind = {
  columns: [
    { head: 'p99 during/before', figure: 'slower', digits: 2, drawn: true },
    { head: 'p99 ms before', figure: 'before', digits: 2 },
    { head: 'during', figure: 'during', digits: 2 },
    { head: 'others get %', figure: 'share', digits: 2 },
    { head: 'RSS growth, MB', figure: 'growth', digits: 1, drawn: true },
    { head: 'shed after s', figure: 'shedAfter', digits: 1, drawn: true },
    { head: 'closed', figure: 'closed', digits: 0 },
  ],
  read(line) {
    const found = JSON.parse(line) as Withheld
    return {
      slower: found.during / found.before,
      before: found.before,
      during: found.during,
      share: found.share * 100,
      growth: (found.residentDuring - found.residentBefore) / 1024 ** 2,
      shedAfter: found.shedAfter < 0 ? Number.POSITIVE_INFINITY : found.shedAfter,
      closed: Number(found.closed),
    }
  },
}

const codec: Kind = {
  columns: [{ head: 'CPU us/message', figure: 'cpu', digits: 3, drawn: true }],
  read: (line) => JSON.parse(line) as Measurement,
}

export const kinds = { deliveries, durable, idle, stalled, codec } satisfies Record<string, Kind>
export type KindName = keyof typeof kinds
