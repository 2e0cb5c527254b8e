/** Does things side by side, so many at once, in an order that a seed decides. */

/** Results are in the order of the things, whatever the order in which they were done. */
export async function inParallel<Thing, Result>(
  things: readonly Thing[],
  { atOnce, seed }: { atOnce: number; seed: number },
  act: (thing: Thing) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(things.length)
  const order = shuffled(things.length, seed)
  const worker = async () => {
    for (let at = order.pop(); at !== undefined; at = order.pop()) {
      results[at] = await act(things[at]!)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}

/** 0 to size - 1, by Fisher and Yates. */
function shuffled(size: number, seed: number): number[] {
  const order = Array.from({ length: size }, (_, i) => i)
  const random = mulberry32(seed)
  for (let i = size - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return order
}

/** A small generator of numbers from 0 to below 1, the same for the same seed. */
export function mulberry32(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
