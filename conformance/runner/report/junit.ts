/** The report for machines, in JUnit's XML. */
import type { Judged } from '../known-failing.ts'
import type { Result } from '../result.ts'

export function junit({ results, expected, surprises }: Judged): string {
  const failures = results.filter((one) => one.outcome === 'failed' && !expected.has(one))
  const count = failures.length + surprises.length
  const skipped = results.filter(({ outcome }) => outcome === 'not run').length + expected.size
  const numbers = `tests="${results.length}" failures="${count}" skipped="${skipped}"`
  const cases = results.map((result) => testCase(result, inner(result, expected, surprises)))
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="porthouse-conformance" ${numbers}>`,
    `<testsuite name="porthouse-conformance" ${numbers}>`,
    ...cases,
    '</testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function inner(result: Result, expected: Judged['expected'], surprises: readonly Result[]): string {
  const known = expected.get(result)
  if (known) return `<skipped message="${escaped(`known to fail: ${known.why}`)}"/>`
  if (surprises.includes(result)) return '<failure message="passed, yet known to fail"/>'
  if (result.outcome === 'not run') return `<skipped message="${escaped(result.why)}"/>`
  if (result.outcome === 'passed') return ''
  const trace = escaped(result.trace.join('\n'))
  return `<failure message="${escaped(result.why)}">${trace}</failure>`
}

function testCase({ subject, name, ms }: Result, body: string): string {
  const attributes = `classname="${escaped(subject)}" name="${escaped(name)}"`
  return `<testcase ${attributes} time="${(ms / 1000).toFixed(3)}">${body}</testcase>`
}

/** XML has no word for most control characters. */
function escaped(text: string): string {
  return text
    .replaceAll(/[\p{Cc}]/gu, (char) => (/[\n\t]/.test(char) ? char : '\u{fffd}'))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
