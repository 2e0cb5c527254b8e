/** Of the rounds of one leg. */
export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
  /** (max - min) / median. */
  readonly spread: number
}

/** Throws where there is no value. */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b)
  const min = sorted[0]
  if (min === undefined) throw new RangeError('a summary of nothing')
  const max = sorted.at(-1)!
  const middle = sorted.length >> 1
  const median =
    sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min, max, spread: (max - min) / median }
}
