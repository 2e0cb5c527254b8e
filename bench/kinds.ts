/** What a leg finds out, by the kind of its workload: read from what the generator prints. */

/** Figures of one leg, by name. */
export type Measurement = Readonly<Record<string, number>>

export interface Column {
  readonly head: string
  /** Name of a figure. */
  readonly figure: string
  readonly digits: number
}

export interface Kind {
  /** What the table shows. The first figure is what peers are compared by. */
  readonly columns: readonly Column[]
  /** Takes the line that the generator prints. */
  read(line: string): Measurement
}

/** See `result` in generator/main.go. */
interface Result {
  deliveries: number
  seconds: number
  serverCpu: number
  generatorCpu: number
  p50: number
  p99: number
}

const deliveries: Kind = {
  columns: [
    { head: 'CPU us/delivery', figure: 'cpu', digits: 3 },
    { head: 'deliveries/s', figure: 'rate', digits: 0 },
    { head: 'p50 ms', figure: 'p50', digits: 2 },
    { head: 'p99 ms', figure: 'p99', digits: 2 },
    { head: 'generator %', figure: 'generatorLoad', digits: 0 },
  ],
  read(line) {
    const { deliveries, seconds, serverCpu, generatorCpu, p50, p99 } = JSON.parse(line) as Result
    if (deliveries === 0) throw new Error('nothing was delivered in the measured time')
    return {
      // User and kernel time of the server.
      cpu: (serverCpu / deliveries) * 1e6,
      rate: deliveries / seconds,
      p50,
      p99,
      // Of one core: near 100 it limits the rate, though not the CPU.
      generatorLoad: (generatorCpu / seconds) * 100,
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
    { head: 'KB/connection', figure: 'memory', digits: 2 },
    { head: 'with garbage', figure: 'uncollected', digits: 2 },
    { head: 'RSS before, MB', figure: 'before', digits: 0 },
    { head: 'connections/s', figure: 'rate', digits: 0 },
    { head: 'CPU us/connection', figure: 'cpu', digits: 0 },
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
    { head: 'p99 during/before', figure: 'slower', digits: 2 },
    { head: 'p99 ms before', figure: 'before', digits: 2 },
    { head: 'during', figure: 'during', digits: 2 },
    { head: 'others get %', figure: 'share', digits: 2 },
    { head: 'RSS growth, MB', figure: 'growth', digits: 1 },
    { head: 'shed after s', figure: 'shedAfter', digits: 1 },
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

export const kinds = { deliveries, idle, stalled } satisfies Record<string, Kind>
export type KindName = keyof typeof kinds
