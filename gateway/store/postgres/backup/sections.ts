/** Reads what a backup has after its header: lines, and between them the rows of tables. */
import { END } from './backup.ts'
import { damaged, LINE_BYTES_MAX } from './header.ts'

const NEWLINE = 0x0a
/** A table begins at the start of a line, so its end may come at once. */
const BREAK_AND_END = Buffer.from(`\n${END}`)

export class Sections {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(content: AsyncIterable<Buffer>) {
    this.#chunks = content[Symbol.asyncIterator]()
  }

  /** The next line. Rejects where there is none, or over the bound. */
  async line(): Promise<string> {
    for (let searched = 0; ; ) {
      const end = this.#rest.indexOf(NEWLINE, searched)
      if (end !== -1) {
        const line = this.#rest.toString('utf8', 0, end)
        this.#rest = this.#rest.subarray(end + 1)
        return line
      }
      searched = this.#rest.length
      if (searched > LINE_BYTES_MAX || !(await this.#more())) throw damaged()
    }
  }

  /** The rows up to their end, as they come. */
  async *rows(): AsyncGenerator<Buffer> {
    // A line break before the first row, which is not one of its bytes.
    this.#rest = Buffer.concat([BREAK_AND_END.subarray(0, 1), this.#rest])
    for (let skipped = 1; ; ) {
      const end = this.#rest.indexOf(BREAK_AND_END)
      const safe = end === -1 ? this.#rest.length - BREAK_AND_END.length : end + 1
      if (safe > skipped) yield this.#rest.subarray(skipped, safe)
      if (end !== -1) {
        this.#rest = this.#rest.subarray(end + BREAK_AND_END.length)
        return
      }
      if (safe > skipped) {
        this.#rest = this.#rest.subarray(safe)
        skipped = 0
      }
      if (!(await this.#more())) throw damaged()
    }
  }

  /** Whether nothing follows. */
  async isAtEnd(): Promise<boolean> {
    return this.#rest.length === 0 && !(await this.#more())
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#chunks.next().catch((error) => {
      throw 'errno' in error && `${error.code}`.startsWith('Z_') ? damaged() : error
    })
    if (done) return false
    this.#rest = this.#rest.length ? Buffer.concat([this.#rest, value]) : value
    return true
  }
}
