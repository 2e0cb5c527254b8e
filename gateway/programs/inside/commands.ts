/** What programs ask the gateway for, no more at once than it takes, and its answers. */
import { type Answer, COMMANDS_MAX } from '../wire.ts'

/** What a program gives, which may be anything until the gateway has looked at it. */
export type Asked = { readonly name: string } & Readonly<Record<string, unknown>>

interface Waiting {
  /** It lasts, and no longer counts as sent. */
  taken: boolean
  resolve(): void
  reject(error: Error): void
}

export class Commands {
  readonly #tell: (message: object) => void
  readonly #waiting = new Map<number, Waiting>()
  readonly #queue: (() => void)[] = []
  #last = 0
  /** Sent, and not taken yet. */
  #sent = 0

  constructor(tell: (message: object) => void) {
    this.#tell = tell
  }

  /** Rejects with an Error that has the refusal's `code`. Nobody has to look at that. */
  run(room: number, what: Asked): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      const command = ++this.#last
      const send = () => {
        this.#sent++
        this.#waiting.set(command, { taken: false, resolve, reject })
        this.#tell({ type: 'command', command, room, what })
      }
      if (this.#sent < COMMANDS_MAX) send()
      else this.#queue.push(send)
    })
    done.catch(() => {})
    return done
  }

  answered(answers: readonly Answer[]): void {
    for (const { command, later, error } of answers) {
      const waiting = this.#waiting.get(command)
      if (!waiting) continue
      if (later) {
        waiting.taken = true
        this.#sent--
        continue
      }
      this.#waiting.delete(command)
      if (!waiting.taken) this.#sent--
      if (error) waiting.reject(Object.assign(new Error(error.detail), { code: error.code }))
      else waiting.resolve()
    }
    while (this.#sent < COMMANDS_MAX && this.#queue.length > 0) this.#queue.shift()?.()
  }
}
