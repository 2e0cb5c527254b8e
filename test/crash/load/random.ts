/** Chance that can be had again: a seed, printed with each run, gives the same moments. */

/** Numbers from 0 to below 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Of this run: CRASH_SEED, else a new one. */
export const seed = Number(process.env.CRASH_SEED ?? Math.trunc(Math.random() * 2 ** 32))

/** Rounds of this run: CRASH_ROUNDS (100 under `make crash`), else the small number. */
export function rounds(small: number): number {
  return Math.ceil((Number(process.env.CRASH_ROUNDS ?? 20) / 20) * small)
}
