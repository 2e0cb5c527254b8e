/**
 * Regular expressions of an admin, which meet texts of anybody: by an engine of linear time (RE2),
 * for one that backtracks could be made to run for ever.
 */
import { RE2JS } from '@bufbuild/re2'
import type { Budget } from './budget.ts'

/** Of a pattern, in characters; and of what it compiles to, in instructions. */
const LENGTH_MAX = 512
const INSTRUCTIONS_MAX = 500

/** After so many characters the states that the engine has found are forgotten: they add up. */
const REMEMBERED = 256

export class Pattern {
  readonly #engine: RE2JS
  readonly #instructions: number
  #tested = 0

  /** Throws an Error, for an admin, where it cannot be used. */
  constructor(source: string) {
    if (source.length > LENGTH_MAX) throw new Error(`a pattern of over ${LENGTH_MAX} characters`)
    this.#engine = new RE2JS(withoutUnicodeEscapes(source))
    this.#instructions = this.#engine.re2().prog.numInst()
    if (this.#instructions > INSTRUCTIONS_MAX) {
      throw new Error(`a pattern that compiles to over ${INSTRUCTIONS_MAX} instructions`)
    }
  }

  /** Whether it matches anywhere in the text. At worst, each character meets each instruction. */
  matches(text: string, budget: Budget): boolean {
    budget.spend(1 + text.length * this.#instructions)
    if (this.#tested > REMEMBERED) {
      this.#engine.reset()
      this.#tested = 0
    }
    const tested = this.#tested + text.length
    // Forgotten too where the stack ends within.
    this.#tested = Number.POSITIVE_INFINITY
    const matches = this.#engine.test(text)
    this.#tested = tested
    return matches
  }
}

/** RE2 writes `\u00e9` as `\x{00e9}`. */
function withoutUnicodeEscapes(source: string): string {
  return source.replace(/\\(?:u([0-9a-f]{4})|.)/gis, (written, hex?: string) => {
    if (hex === undefined || written[1] === 'U') return written
    if (/^d[89a-f]/i.test(hex)) throw new Error(`a pattern with half a surrogate pair, ${written}`)
    return `\\x{${hex}}`
  })
}
