/**
 * A soak: rounds of the same life in a gateway, and after each, when all have gone, what the
 * gateway holds. See docs/memory.md.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Inspector } from '../heap/inspector.ts'
import { scrape } from './administration.ts'
import { environment } from './environment.ts'
import { type Class, classes, held, steady } from './held.ts'
import { type House, openHouse } from './house.ts'
import { RESIDENTS, settle } from './residents.ts'
import { playRound } from './round.ts'
import { PATIENCE_MS } from './scene.ts'
import type { Sample } from './verdict.ts'

export interface SoakOptions {
  /** At least. */
  readonly seconds: number
  /** At least; 10 where it is absent. */
  readonly rounds?: number
  /** Of those who come in a round; 1 where it is absent. */
  readonly share?: number
  /** Whose objects are counted; all that are known where it is absent. */
  readonly counted?: readonly Class[]
  /** For the gateway's data. */
  readonly folder: string
  /** Of the gateway, beside what a soak sets. */
  readonly env?: Readonly<Record<string, string>>
  /** Told after each round, and awaited. */
  readonly sampled?: (sample: Sample, inspector: Inspector) => Promise<void> | void
}

export interface Found {
  /** One after each round, from the first on. */
  readonly samples: readonly Sample[]
  /** How often what has happened. */
  readonly tallies: Readonly<Record<string, number>>
  /** Sockets that were opened, and the gateway's CPU time in seconds. */
  readonly connections: number
  readonly cpuSeconds: number
}

/** A round begins so long after the one before began, if that is over. */
const ROUND_MS = 6_000
/** So long is kept what is kept for a time, at most: a round's end comes after it. */
const WINDOW_MS = 1_000
const REST_POLL_MS = 50
/** What waits for somebody, by /metrics. */
const WAITING = ['slow_sockets', 'history_queue_messages', 'mqtt_inflight_messages']

/** Rejects where anybody does not find what he came for. */
export async function soak(options: SoakOptions): Promise<Found> {
  const { seconds, rounds = 10, folder, share = 1, env = {}, sampled } = options
  const counted = options.counted ?? (Object.keys(classes) as Class[])
  const roundMs = Math.min(ROUND_MS, (seconds * 1000) / rounds)
  const windowMs = Math.trunc(Math.min(WINDOW_MS, roundMs / 2))
  await using house = await openHouse(folder, environment(windowMs, env))
  await using _residents = await settle(house)
  const inspector = await Inspector.open(house.gateway)
  await steady(inspector)
  const tallies: Record<string, number> = {}
  const tally = (what: string) => {
    tallies[what] = (tallies[what] ?? 0) + 1
  }
  const samples: Sample[] = []
  const began = performance.now()
  const passed = () => performance.now() - began
  for (let round = 0; round < rounds || passed() < seconds * 1000; round++) {
    await playRound({ house, round, tally }, share)
    const counts = await rest(house)
    await delay(windowMs)
    const sample = { round, seconds: passed() / 1000, ...(await held(inspector, counted)), counts }
    samples.push(sample)
    await sampled?.(sample, inspector)
    await delay(Math.max(0, (round + 1) * roundMs - passed()))
  }
  inspector.close()
  const values = await scrape(house)
  return {
    samples,
    tallies,
    connections: values.get('porthouse_sockets_opened_total')!,
    cpuSeconds: values.get('process_cpu_seconds_total')!,
  }
}

/** Resolves when nobody but the residents is there, with what is there then. */
async function rest(house: House): Promise<Record<string, number>> {
  for (const until = performance.now() + PATIENCE_MS; ; await delay(REST_POLL_MS)) {
    const values = await scrape(house)
    const of = (name: string) => values.get(`porthouse_${name}`) ?? 0
    const [sockets, members] = [of('sockets'), of('memberships')]
    const areAlone = sockets === RESIDENTS.sockets && members === RESIDENTS.memberships
    if (areAlone && WAITING.every((name) => of(name) === 0)) {
      return { rooms: of('rooms'), descriptors: values.get('process_open_fds')! }
    }
    if (performance.now() > until) {
      throw new Error(`no rest: ${sockets} sockets are there, ${members} members of rooms`)
    }
  }
}
