/**
 * Lists of cases that are known to fail, each with its reason: `PATTERN  # why`. In a pattern `*`
 * stands for anything within a name's part and `**` for any parts.
 */
import type { Result } from './result.ts'

export interface KnownFailing {
  readonly pattern: string
  readonly why: string
}

/** Throws a TypeError where a line has no reason. */
export function readKnownFailing(text: string): KnownFailing[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, pattern, why] = /^(\S+)\s+#\s*(\S.*)$/.exec(line) ?? []
      if (!pattern || !why) throw new TypeError(`a known failure without a reason: ${line}`)
      return { pattern, why }
    })
}

export function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('**').map((part) => {
    return part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*')
  })
  return new RegExp(`^${parts.join('.*')}$`).test(name)
}

export interface Judged {
  readonly results: readonly Result[]
  /** Failed as it was known to. */
  readonly expected: ReadonlyMap<Result, KnownFailing>
  /** Passed though it was known to fail: the list is out of date, which is a failure. */
  readonly surprises: readonly Result[]
  /** Patterns that no case matches: a failure as well. */
  readonly unmatched: readonly KnownFailing[]
}

/** `isPart`: only some cases were run, so that a pattern may well match none of them. */
export function judge(
  results: readonly Result[],
  known: readonly KnownFailing[],
  isPart = false,
): Judged {
  const knownOf = (result: Result) => known.find(({ pattern }) => matches(pattern, result.name))
  const expected = new Map<Result, KnownFailing>()
  for (const result of results) {
    const one = knownOf(result)
    if (one && result.outcome === 'failed') expected.set(result, one)
  }
  return {
    results,
    expected,
    surprises: results.filter((result) => result.outcome === 'passed' && knownOf(result)),
    unmatched: isPart
      ? []
      : known.filter(({ pattern }) => !results.some(({ name }) => matches(pattern, name))),
  }
}

export function hasPassed({ results, expected, surprises, unmatched }: Judged): boolean {
  const failed = results.filter((one) => one.outcome === 'failed' && !expected.has(one))
  return failed.length + surprises.length + unmatched.length === 0
}
