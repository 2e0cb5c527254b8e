/** Which legs a run has, in which order: peers in turn, workload after workload, round by round. */
import { parseArgs } from 'node:util'
import { goals } from './goals.ts'
import { type Goal, leg, needs } from './judge.ts'
import { type Workload, workloads } from './workloads.ts'

export interface Plan {
  readonly quick: boolean
  /** Measured, of each leg. */
  readonly seconds: number
  readonly rounds: number
  readonly legs: readonly Leg[]
  /** Those whose figures are all measured. */
  readonly goals: readonly Goal[]
}

export interface Leg {
  readonly round: number
  readonly workload: Workload
  readonly peer: string
}

/** `quick`: shorter legs, one round, and no peers that no goal asks for. */
export function readPlan(quick: boolean, args: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workloads: { type: 'string' },
      peers: { type: 'string' },
      rounds: { type: 'string' },
    },
  })
  const rounds = Number(values.rounds ?? (quick ? 1 : 3))
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a number from 1')
  const names = workloads.map(({ id }) => id)
  const ids = chosen('--workloads', values.workloads, names)
  const everybody = [...new Set(workloads.flatMap(({ peers }) => peers))]
  const peers = chosen('--peers', values.peers, everybody)
  const asked = new Set(goals.flatMap((goal) => [...needs(goal)]))
  const roundsOf = (workload: Workload, peer: string) => {
    if (!ids.includes(workload.id) || !peers.includes(peer)) return 0
    // Whoever is named takes part as the others do.
    const isWanted = values.peers !== undefined || asked.has(leg(workload.id, peer))
    if (quick) return isWanted ? rounds : 0
    if (!isWanted) return 1
    return values.rounds === undefined ? (workload.rounds ?? rounds) : rounds
  }
  const legs = interleave(roundsOf).map((each) => ({
    ...each,
    workload: quick ? { ...each.workload, ...each.workload.quick } : each.workload,
  }))
  const measured = new Set(legs.map(({ workload, peer }) => leg(workload.id, peer)))
  const planned = goals.filter((goal) => [...needs(goal)].every((each) => measured.has(each)))
  return { quick, seconds: quick ? 3 : 5, rounds, legs, goals: planned }
}

function chosen(flag: string, list: string | undefined, known: readonly string[]): string[] {
  const names = list?.split(',') ?? [...known]
  const wrong = names.find((name) => !known.includes(name))
  if (wrong !== undefined) throw new Error(`${flag}: no ${wrong}; there are ${known.join(', ')}`)
  return known.filter((name) => names.includes(name))
}

function interleave(roundsOf: (workload: Workload, peer: string) => number): Leg[] {
  const pairs = workloads.flatMap((workload) => workload.peers.map((peer) => ({ workload, peer })))
  const last = Math.max(...pairs.map(({ workload, peer }) => roundsOf(workload, peer)))
  return Array.from({ length: last }, (_, n) => n + 1).flatMap((round) =>
    pairs
      .filter(({ workload, peer }) => round <= roundsOf(workload, peer))
      .map((pair) => ({ round, ...pair })),
  )
}
