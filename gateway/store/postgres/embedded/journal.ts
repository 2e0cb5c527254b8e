/** The log of the supervisor and of PostgreSQL: one file and its predecessor, both bounded. */
import { appendFileSync, renameSync, statSync } from 'node:fs'

const BYTES_MAX = 1024 * 1024

/** What PostgreSQL says of an end; the words do not depend on the language of the machine. */
const REASON = /(?:FATAL|PANIC|HINT|error): +(.*)/

export class Journal {
  readonly #path: string
  #bytes: number

  constructor(path: string) {
    this.#path = path
    this.#bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  }

  /** Appends whole lines. A full disk loses them, and stops nothing. */
  write(text: string): void {
    try {
      if (this.#bytes > BYTES_MAX) {
        renameSync(this.#path, `${this.#path}.1`)
        this.#bytes = 0
      }
      appendFileSync(this.#path, text, { mode: 0o600 })
      this.#bytes += Buffer.byteLength(text)
    } catch {
      // Nobody is left to tell.
    }
  }

  note(event: string): void {
    this.write(`${new Date().toISOString()} supervisor: ${event}\n`)
  }
}

/** The last words of a program's output that say why it ended. */
export function reasonIn(output: string): string | undefined {
  const reasons = output.split('\n').flatMap((line) => REASON.exec(line)?.[1] ?? [])
  return reasons.length ? reasons.slice(-2).join('; ') : undefined
}
