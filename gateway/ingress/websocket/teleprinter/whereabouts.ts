/** The rooms that a person is in, and the one of them that his lines go to. */

import type { MessageInitShape } from '@bufbuild/protobuf'
import type { RoutingSchema } from '@porthouse/proto/v1/envelope'
import type { Joined } from '@porthouse/proto/v1/room'

interface Place {
  readonly address: string
  readonly route: number
  readonly channel: string
}

export class Whereabouts {
  readonly #places = new Map<number, Place>()
  #target: Place | undefined

  /** Address of the place that lines go to. */
  get target(): string | undefined {
    return this.#target?.address
  }

  /** Absent: where the gateway sees fit (R27). */
  get routing(): MessageInitShape<typeof RoutingSchema> | undefined {
    if (!this.#target?.route) return undefined
    const { route, channel } = this.#target
    return { route, channel }
  }

  /** `wanted`: the person asked for it; other rooms do not take the lines that follow. */
  enter({ address, route }: Joined, wanted: boolean): void {
    const [, channel = ''] = /^room:[^/]+\/[^/]+\/(.*)$/.exec(address) ?? []
    const place = { address, route, channel: channel.includes('*') ? '' : channel }
    this.#places.set(route, place)
    if (wanted || !this.#target) this.#target = place
  }

  leave(address: string): void {
    for (const [route, place] of this.#places) {
      if (place.address === address) this.#places.delete(route)
    }
    if (this.#target?.address === address) this.#target = [...this.#places.values()].at(-1)
  }

  /** What to call a message's room; empty for the one that lines go to. */
  labelOf(route: number): string {
    return route === this.#target?.route ? '' : (this.#places.get(route)?.address ?? '')
  }
}
