/** What is wrong with a config, in words that say how to put it right. */
import type { z } from 'zod'
import type { Config } from './config.ts'
import { type Found, metaOf, valueAt } from './tree.ts'

export interface Problem {
  readonly text: string
}

export class ConfigError extends Error {
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[], cause?: unknown) {
    super(problems.map(({ text }) => text).join('\n'), { cause })
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** Bounds that make no sense without each other: the first must not pass the second. */
const ORDERED = [
  ['limits.frameBytes', 'limits.packetBytes'],
  ['limits.payloadBytes', 'limits.frameBytes'],
  ['limits.headersBytes', 'limits.frameBytes'],
  ['limits.frameBytes', 'outbox.bytes'],
] as const

export function problemsOf(
  parsed: z.ZodSafeParseResult<Config>,
  found: ReadonlyMap<string, Found>,
): Problem[] {
  if (parsed.success) return [...crossed(parsed.data, found), ...halves(parsed.data, found)]
  const keys = new Set(parsed.error.issues.map(({ path }) => path.filter(isName).join('.')))
  return [...keys].map((key) => wrong(key, found.get(key), metaOf(key).allowed))
}

/** What may be shown of a value: never the password of a database. */
export function shown(key: string, value: unknown): string {
  if (key !== 'databaseUrl') return JSON.stringify(value)
  return JSON.stringify(String(value).replace(/(\/\/[^:/@]*:)[^@]*@/, '$1***@'))
}

function crossed(config: Config, found: ReadonlyMap<string, Found>): Problem[] {
  return ORDERED.flatMap(([lower, upper]) => {
    const [low, high] = [lower, upper].map((key) => valueAt(config, key) as number) as [
      number,
      number,
    ]
    return low <= high
      ? []
      : [
          wrong(
            lower,
            found.get(lower) ?? { value: low, source: 'default' },
            `at most ${upper}, which is ${high}`,
          ),
        ]
  })
}

/** A certificate without its key, or the other way round. */
function halves(config: Config, found: ReadonlyMap<string, Found>): Problem[] {
  return ['http.tls', 'mqtt.tls', 'admin.tls'].flatMap((section) => {
    const keys = [`${section}.certFile`, `${section}.keyFile`]
    const missing = keys.filter((key) => valueAt(config, key) === undefined)
    if (missing.length !== 1) return []
    const there = keys.find((key) => !missing.includes(key)) as string
    return [wrong(there, found.get(there), `only together with ${missing[0]}`)]
  })
}

function wrong(key: string, found: Found | undefined, allowed: string): Problem {
  return { text: `${key} is ${shown(key, found?.value)} (${found?.source}); allowed is ${allowed}` }
}

function isName(part: PropertyKey): part is string {
  return typeof part === 'string'
}
