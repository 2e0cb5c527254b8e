/** The person at the terminal, who is asked for what only he knows. */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { harmless } from './output.ts'

export interface Question {
  /** Of a stranger, perhaps. */
  readonly text: string
  /** Whether what is typed may be seen. */
  readonly echo: boolean
}

/** Whether there is one. */
export function isPersonThere(): boolean {
  return Boolean(process.stdin.isTTY && process.stderr.isTTY)
}

/** What is typed; undefined where nobody is there, the input ends, or the signal says enough. */
export async function askPerson(
  { text, echo }: Question,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (!isPersonThere() || signal?.aborted) return undefined
  const output = new Terminal()
  const lines = createInterface({ input: process.stdin, output, terminal: true })
  return new Promise((resolve) => {
    const end = (answer?: string) => {
      signal?.removeEventListener('abort', abort)
      resolve(answer)
      lines.close()
    }
    const abort = () => end()
    signal?.addEventListener('abort', abort)
    lines.once('close', () => end())
    lines.question(harmless(text), (answer) => {
      if (output.muted) process.stderr.write('\n')
      end(answer)
    })
    output.muted = !echo
  })
}

/** Shows what readline writes, or nothing of it. */
class Terminal extends Writable {
  muted = false

  override _write(chunk: Buffer, _: string, done: () => void): void {
    if (!this.muted) process.stderr.write(chunk)
    done()
  }
}
