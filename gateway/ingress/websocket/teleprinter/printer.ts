/** Puts text on a connection: a line a message, or a character a message at a person's own pace. */

/** How long a connection that ends may go on printing at its pace, in milliseconds. */
const FAREWELL_MS = 5_000

/** Slowest pace, in characters a second. */
export const PACE_MIN = 10

/** The pace that a URL's query asks for, held within bounds; undefined: as fast as it goes. */
export function paceOf(query: URLSearchParams, max: number): number | undefined {
  const asked = query.get('pace') ?? ''
  return /^\d{1,9}$/.test(asked) ? Math.min(Math.max(Number(asked), PACE_MIN), max) : undefined
}

export interface PrinterParts {
  /** Sends one text message. */
  readonly write: (text: string) => void
  /** Characters a second; undefined: whole lines, as fast as it goes. */
  readonly pace: number | undefined
  /** All that waited is printed. */
  readonly emptied: () => void
}

export class Printer {
  readonly #parts: PrinterParts
  #text = ''
  #at = 0
  #ticker: NodeJS.Timeout | undefined
  #farewell: NodeJS.Timeout | undefined
  #done: (() => void) | undefined

  constructor(parts: PrinterParts) {
    this.#parts = parts
  }

  /** Not printed yet, in characters. Whoever prints keeps it within bounds. */
  get waiting(): number {
    return this.#text.length - this.#at
  }

  print(text: string): void {
    const { write, pace } = this.#parts
    if (pace === undefined) return write(text)
    this.#text = this.#text.slice(this.#at) + text
    this.#at = 0
    this.#ticker ??= setInterval(() => this.#tick(), 1000 / pace)
  }

  /** Calls `done` once all is printed; what a slow pace has not shown by then goes out at once. */
  end(done: () => void): void {
    if (this.waiting === 0) return done()
    this.#done = done
    this.#farewell = setTimeout(() => {
      this.#parts.write(this.#text.slice(this.#at))
      this.#at = this.#text.length
      this.#empty()
    }, FAREWELL_MS)
  }

  /** The connection is gone. */
  stop(): void {
    clearInterval(this.#ticker)
    clearTimeout(this.#farewell)
    this.#text = ''
    this.#at = 0
    this.#done = undefined
  }

  #tick(): void {
    const character = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0)
    const end = this.#text.startsWith('\r\n', this.#at)
    const next = end ? '\r\n' : character
    this.#at += next.length
    this.#parts.write(next)
    if (this.waiting === 0) this.#empty()
  }

  #empty(): void {
    const done = this.#done
    this.stop()
    this.#ticker = undefined
    if (done) done()
    else this.#parts.emptied()
  }
}
