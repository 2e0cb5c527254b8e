/**
 * Finds the audiences that hear a channel without a look at those that hear another one: in a room
 * that is a table of cells, each cell a channel, there are as many as cells (R23).
 */
import { channelOf } from '../protocol/channel.ts'
import type { Audience } from './audience.ts'
import { SetMap } from './set-map.ts'

export class AudienceIndex {
  /** Those of which no filter holds a wildcard, by channel; `` for the room alone. */
  readonly #exact = new SetMap<string, Audience>()
  /** The others, among them those that hear the room itself. */
  readonly #wide = new Set<Audience>()

  add(audience: Audience): void {
    if (isWide(audience)) this.#wide.add(audience)
    else for (const filter of audience.filters) this.#exact.add(channelOf(filter), audience)
  }

  delete(audience: Audience): void {
    this.#wide.delete(audience)
    for (const filter of audience.filters) this.#exact.delete(channelOf(filter), audience)
  }

  /** `` for the room itself. */
  thatHear(channel: string): Audience[] {
    const wide = [...this.#wide].filter((audience) => audience.hears(channel))
    return [...wide, ...this.#exact.of(channel)]
  }
}

function isWide({ filters }: Audience): boolean {
  return filters.some((filter) => filter === '' || filter.includes('*'))
}
