/** Cuts a stream into lines, each of at most `max` characters. */
export class Lines {
  readonly #max: number
  readonly #parts: string[] = []
  #length = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Lines that end in this chunk. Throws RangeError where one is too long. */
  *take(chunk: string): Iterable<string> {
    let from = 0
    for (let at = chunk.indexOf('\n'); at !== -1; at = chunk.indexOf('\n', from)) {
      this.#add(chunk.slice(from, at))
      const line = this.#parts.splice(0).join('')
      this.#length = 0
      from = at + 1
      yield line
    }
    if (from < chunk.length) this.#add(chunk.slice(from))
  }

  #add(part: string): void {
    this.#length += part.length
    if (this.#length > this.#max) throw new RangeError(`a line over ${this.#max} characters`)
    this.#parts.push(part)
  }
}
