/** How a command fails: a line for a person, an object for a script, an exit code for the shell. */

/** Documented in docs/cli.md; scripts decide by them. */
export const EXIT = {
  ok: 0,
  /** What was asked for could not be done. */
  failed: 1,
  /** The command line, a config or a name is wrong. */
  usage: 2,
  /** The gateway refused for good: a code that is not temporary. */
  refused: 3,
  /** The gateway or its store is away, or refused for now. */
  unavailable: 4,
  /** `--timeout` ran out first. */
  timeout: 5,
} as const

export class Failure extends Error {
  readonly code: string
  readonly exit: number
  /** `code` is in capitals, of the protocol's table where it has one; `message` may have lines. */
  constructor(code: string, message: string, exit: number = EXIT.failed, cause?: unknown) {
    super(message, { cause })
    this.name = 'Failure'
    this.code = code
    this.exit = exit
  }
}

export function usage(message: string): Failure {
  return new Failure('USAGE', message, EXIT.usage)
}

/** For what was asked for by a name that is not there. */
export function missing(what: string, next: string): Failure {
  return new Failure('MISSING', `there is no ${what}; ${next}`)
}

/** Tells on stderr what went wrong and returns the exit code. */
export function report(error: unknown, json: boolean): number {
  const { code, message, exit } = error instanceof Failure ? error : unforeseen(error)
  const line = json
    ? JSON.stringify({ error: { code, message } })
    : message.replace(/^/gm, 'porthouse: ')
  process.stderr.write(`${line}\n`)
  return exit
}

function unforeseen(error: unknown): Failure {
  const text = error instanceof Error ? error.message : String(error)
  return new Failure('INTERNAL', text || 'failed without saying why', EXIT.failed, error)
}
