/** The parts of one object or array that some schema has looked at (JSON Schema Core, 11). */
import type { Budget } from '../budget.ts'

export class Seen {
  readonly #names = new Set<string>()
  readonly #items = new Set<number>()
  /** The first items of an array. */
  #first = 0

  name(name: string): void {
    this.#names.add(name)
  }

  item(index: number): void {
    this.#items.add(index)
  }

  /** The items before `count`. */
  first(count: number): void {
    this.#first = Math.max(this.#first, count)
  }

  hasName(name: string): boolean {
    return this.#names.has(name)
  }

  hasItem(index: number): boolean {
    return index < this.#first || this.#items.has(index)
  }

  add(other: Seen, budget: Budget): void {
    budget.spend(other.#names.size + other.#items.size)
    for (const name of other.#names) this.#names.add(name)
    for (const item of other.#items) this.#items.add(item)
    this.first(other.#first)
  }
}
