import type { AnswerContext, Answerer } from './answerer.ts'

/** What the connection knows that an exchange with a lock depends on. */
export interface ExchangeHost {
  /** This socket's own address; empty before Welcome. */
  readonly socket: string
}

/** One answerer's attempt at one lock, from its first message to the verdict. */
export class Exchange {
  readonly answerer: Answerer
  readonly context: AnswerContext
  readonly #over = new AbortController()

  constructor(answerer: Answerer, gateway: string, attempt: number, host: ExchangeHost) {
    this.answerer = answerer
    const { signal } = this.#over
    this.context = {
      gateway,
      attempt,
      signal,
      get socket() {
        return host.socket
      },
    }
  }

  end(): void {
    this.#over.abort()
  }
}
