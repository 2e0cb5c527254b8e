/** How much memory may grow over a soak and still be called flat, and from when on it is judged. */
import type { Bounds, Sample } from './verdict.ts'

export const bounds: Bounds = {
  used: { perMinute: 20, perThousandRounds: 2_000 },
  resident: { perMinute: 200, perThousandRounds: 20_000 },
  // Of the kinds of visitors each comes once a round at least.
  objects: 500,
}

/** Until then windows fill, and V8 compiles and optimizes what is called often. */
const WARM_UP_PART = 1 / 4

export function afterWarmUp(samples: readonly Sample[]): readonly Sample[] {
  const { seconds = 0 } = samples.at(-1) ?? {}
  return samples.filter((sample) => sample.seconds >= seconds * WARM_UP_PART)
}
