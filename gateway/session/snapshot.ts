/** What goes on in the whole gateway, in a few numbers that cost nothing to ask for. */
import { type Counts, MEDIA, type Medium, type Tally } from '../observe/counts.ts'
import { Rates } from '../observe/rates.ts'
import type { Rooms } from '../rooms/rooms.ts'

const FLOWS = ['messagesIn', 'messagesOut', 'bytesIn', 'bytesOut'] as const

/** Messages and bytes, in and out: see Tally. */
export type Flows = Readonly<Record<(typeof FLOWS)[number], number>>

export interface Traffic {
  readonly sockets: number
  /** Those of them that are out of limbo. */
  readonly unlocked: number
  /** Since the gateway has begun. */
  readonly totals: Flows
  /** A second, over about the last ten. */
  readonly rates: Flows
}

export interface Snapshot extends Traffic {
  /** Loaded. */
  readonly rooms: number
  /** The same by medium. */
  readonly media: Readonly<Record<Exclude<Medium, 'none'>, Traffic>>
}

export class Snapshots {
  readonly #tallies: readonly Tally[]
  readonly #rooms: Rooms
  readonly #rates = new Rates()

  constructor({ media }: Counts, rooms: Rooms) {
    this.#tallies = MEDIA.map((medium) => media[medium])
    this.#rooms = rooms
  }

  /** To be told again and again, for the rates. `now`: milliseconds that only rise. */
  sample(now: number): void {
    this.#rates.sample(this.#values(), now)
  }

  take(now: number): Snapshot {
    const rates = this.#rates.perSecond(this.#values(), now)
    const traffics = this.#tallies.map((tally, i): Traffic => {
      const { sockets, unlocked } = tally
      const rate = (index: number) => rates[i * FLOWS.length + index] ?? 0
      const totals = flows((name) => tally[name])
      return { sockets, unlocked, totals, rates: flows((_, index) => rate(index)) }
    })
    const sum = (of: (traffic: Traffic) => number) =>
      traffics.reduce((all, each) => all + of(each), 0)
    return {
      rooms: this.#rooms.count,
      sockets: sum(({ sockets }) => sockets),
      unlocked: sum(({ unlocked }) => unlocked),
      totals: flows((name) => sum(({ totals }) => totals[name])),
      rates: flows((name) => sum(({ rates }) => rates[name])),
      media: Object.fromEntries(
        MEDIA.map((medium, i) => [medium, traffics[i]]),
      ) as Snapshot['media'],
    }
  }

  #values(): number[] {
    return this.#tallies.flatMap((tally) => FLOWS.map((name) => tally[name]))
  }
}

function flows(of: (name: (typeof FLOWS)[number], index: number) => number): Flows {
  return Object.fromEntries(FLOWS.map((name, i) => [name, of(name, i)])) as Flows
}
