/** What a run has found, as bench/out/latest.json keeps it; tables and plots are made from it. */
import type { Median, Verdict } from './judge.ts'
import { type KindName, kinds, type Measurement } from './kinds.ts'
import { type Summary, summarize } from './statistics.ts'

/** A wider spread than this between the rounds of a leg says that the machine was not quiet. */
const NOISY = 0.3

export interface Run {
  readonly at: string
  readonly minutes: number
  readonly quick: boolean
  /** Measured, of each leg. */
  readonly seconds: number
  readonly rounds: number
  readonly machine: Readonly<Record<string, string>>
  readonly versions: Readonly<Record<string, string>>
  readonly workloads: readonly Measured[]
  /** Legs, each with its error. */
  readonly failed: readonly string[]
  readonly verdicts: readonly Verdict[]
}

export interface Measured {
  readonly id: string
  readonly title: string
  readonly kind: KindName
  /** Rounds by peer. */
  readonly peers: Readonly<Record<string, readonly Measurement[]>>
}

/** Of one figure over all rounds; a figure that was not found is NaN. */
export function summaryOf(rounds: readonly Measurement[], figure: string): Summary {
  return summarize(rounds.map((round) => round[figure] ?? Number.NaN))
}

export function medianIn(workloads: readonly Measured[]): Median {
  return (workload, peer, figure) => {
    const rounds = workloads.find(({ id }) => id === workload)?.peers[peer] ?? []
    return rounds.length > 0 ? summaryOf(rounds, figure).median : Number.NaN
  }
}

export function isNoisy({ spread }: Summary): boolean {
  return spread > NOISY
}

/** How many legs were measured more than once, and how many of them were too noisy. */
export function noiseOf(workloads: readonly Measured[]): { legs: number; noisy: number } {
  const summaries = workloads.flatMap(({ kind, peers }) =>
    Object.values(peers)
      .filter((rounds) => rounds.length > 1)
      .map((rounds) => summaryOf(rounds, kinds[kind].columns[0]!.figure)),
  )
  return { legs: summaries.length, noisy: summaries.filter(isNoisy).length }
}
