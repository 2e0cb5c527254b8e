/**
 * Finds the audiences that hear a channel without a look at those that hear another one: in a room
 * that is a table of cells, each cell a channel, there are as many as cells (R23).
 */
import type { Audience } from './audience.ts'

export class AudienceIndex {
  /** Those of which no filter holds a wildcard, by filter. */
  readonly #exact = new Map<string, Set<Audience>>()
  /** The others, among them those that hear the room itself. */
  readonly #wide = new Set<Audience>()

  add(audience: Audience): void {
    if (isWide(audience)) this.#wide.add(audience)
    else for (const filter of audience.filters) this.#addExact(filter, audience)
  }

  #addExact(filter: string, audience: Audience): void {
    const audiences = this.#exact.get(filter)
    if (audiences) audiences.add(audience)
    else this.#exact.set(filter, new Set([audience]))
  }

  delete(audience: Audience): void {
    this.#wide.delete(audience)
    for (const filter of audience.filters) {
      const audiences = this.#exact.get(filter)
      audiences?.delete(audience)
      if (audiences?.size === 0) this.#exact.delete(filter)
    }
  }

  /** `` for the room itself. */
  thatHear(channel: string): Audience[] {
    const wide = [...this.#wide].filter((audience) => audience.hears(channel))
    return [...wide, ...(this.#exact.get(channel) ?? [])]
  }
}

function isWide({ filters }: Audience): boolean {
  return filters.some((filter) => filter === '' || filter.includes('*'))
}
