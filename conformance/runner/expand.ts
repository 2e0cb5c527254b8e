/** Each case of suites over each of its transports, by its full name. */
import type { Transport } from '@porthouse/proto/conformance/v1/transport'
import type { Run } from './result.ts'
import { shortName } from './transport.ts'

interface Case {
  readonly name: string
  readonly about: string
  readonly clauses: readonly string[]
  readonly transports: readonly Transport[]
}

interface Suite {
  readonly transports: readonly Transport[]
  readonly cases: readonly Case[]
}

export interface Expanded<One extends Suite> extends Run {
  readonly suite: One
  readonly case: One['cases'][number]
  readonly transport: Transport
}

/** `prefix`: before the names of these suites. */
export function expand<One extends Suite>(
  suites: ReadonlyMap<string, One>,
  prefix = '',
): Expanded<One>[] {
  return [...suites].flatMap(([name, suite]) =>
    suite.cases.flatMap((one) => {
      const transports = one.transports.length > 0 ? one.transports : suite.transports
      return transports.map((transport) => ({
        name: `${prefix}${name}/${one.name}/${shortName(transport)}`,
        about: one.about,
        clauses: one.clauses,
        suite,
        case: one,
        transport,
      }))
    }),
  )
}
