/** A case as it is run, and what became of it. */

export interface Run {
  /** SUITE/CASE/TRANSPORT, of a client case with the client's name after it. */
  readonly name: string
  readonly about: string
  readonly clauses: readonly string[]
}

export interface Result extends Run {
  /** Who was tested, for the table. */
  readonly subject: string
  readonly transport: string
  readonly outcome: 'passed' | 'failed' | 'not run'
  /** Why it failed, or was not run. */
  readonly why: string
  /** What was said, a line each. */
  readonly trace: readonly string[]
  readonly ms: number
}
