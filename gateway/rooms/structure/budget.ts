/** How much work one message may be, so that no schema and no message can hold the others up. */
import { contentInvalid, misfit } from './misfit.ts'

/**
 * A step is what one keyword asks of one value, or about as much work: 10 ns, at worst 50. The
 * largest message (256 KiB) has 4 million of them, a small one 20,000.
 */
const STEPS_MIN = 20_000
const STEPS_PER_BYTE = 16

export class Budget {
  #left: number

  /** `bytes`: of the content. */
  constructor(bytes: number) {
    this.#left = STEPS_MIN + STEPS_PER_BYTE * bytes
  }

  /** Throws Refusal CONTENT_INVALID where it is used up. */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw contentInvalid(misfit('checking it takes too many steps'))
  }
}
