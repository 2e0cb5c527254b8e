/** What a goal is, and how it is judged: met, missed, or missed at a wall that a run has shown. */

/** The median of a figure in a workload at a peer; NaN where it is not known. */
export type Median = (workload: string, peer: string, figure: string) => number

export interface Bound {
  /** Follows the figure: what it is, with its unit. */
  readonly says: string
  readonly most?: number
  readonly least?: number
  value(median: Median): number
  /**
   * The same figure of something that does less: where that is out of bounds in the same run,
   * nothing that does more can be within.
   */
  readonly wall?: { readonly says: string; value(median: Median): number }
}

export interface Goal {
  readonly id: string
  /** What it is about, in a few words. */
  readonly about: string
  readonly bounds: readonly Bound[]
}

export type State = 'met' | 'wall' | 'missed'

/** A judged goal, as data: what is printed, stored and drawn. */
export interface Verdict {
  readonly id: string
  readonly about: string
  readonly state: State
  readonly found: readonly Found[]
}

export interface Found {
  readonly says: string
  /** "≤ 0.8" */
  readonly bound: string
  readonly value: number
  readonly state: State
  readonly wall?: { readonly says: string; readonly value: number; readonly holds: boolean }
}

/**
 * Judges a goal by medians of all rounds; after a leg that failed a figure is NaN, and its bound
 * missed. A goal is at a wall where each bound that it misses is.
 */
export function judge({ id, about, bounds }: Goal, median: Median): Verdict {
  const found = bounds.map((bound) => judgeBound(bound, median))
  const states = new Set(found.map(({ state }) => state))
  const state = (['missed', 'wall', 'met'] as const).find((each) => states.has(each))!
  return { id, about, state, found }
}

function judgeBound(bound: Bound, median: Median): Found {
  const { says, wall } = bound
  const value = bound.value(median)
  const told = { says, bound: limitOf(bound), value }
  if (!wall) return { ...told, state: isWithin(bound, value) ? 'met' : 'missed' }
  const floor = wall.value(median)
  const holds = Number.isFinite(floor) && !isWithin(bound, floor)
  const missed = holds && !Number.isNaN(value) ? 'wall' : 'missed'
  const state = isWithin(bound, value) ? 'met' : missed
  return { ...told, state, wall: { says: wall.says, value: floor, holds } }
}

function isWithin({ least = -Infinity, most = Infinity }: Bound, value: number): boolean {
  return value >= least && value <= most
}

function limitOf({ most, least }: Bound): string {
  return most === undefined ? `≥ ${least}` : `≤ ${most}`
}

/** Workload and peer, as one word. */
export function leg(workload: string, peer: string): string {
  return `${workload}/${peer}`
}

/** Legs whose figures a goal asks for, those of its walls among them. */
export function needs({ bounds }: Goal): Set<string> {
  const asked = new Set<string>()
  const note: Median = (workload, peer) => {
    asked.add(leg(workload, peer))
    return 1
  }
  for (const { value, wall } of bounds) {
    value(note)
    wall?.value(note)
  }
  return asked
}

/** The last line of a run: each goal once. */
export function count(verdicts: readonly Verdict[]): string {
  const of = (state: State) => verdicts.filter((verdict) => verdict.state === state).length
  return `goals met: ${of('met')} of ${verdicts.length} (${of('wall')} walls)`
}
