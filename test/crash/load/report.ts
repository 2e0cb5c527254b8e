/** Figures of a run, on stdout as one line of a table each. */

/** Of the sorted values, by nearest rank; 0 of none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0
}

/** Prints `name | key value | key value …`; numbers without a fraction. */
export function report(name: string, figures: Readonly<Record<string, number | string>>): void {
  const cells = Object.entries(figures).map(([key, value]) => {
    const text = typeof value === 'number' ? Math.round(value).toLocaleString('en') : value
    return `${key} ${text}`
  })
  process.stdout.write(`\n${[name, ...cells].join(' | ')}\n`)
}
