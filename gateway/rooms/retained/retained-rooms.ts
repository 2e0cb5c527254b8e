/** Opens the last values of the rooms that keep them. */
import type { Place } from '../../router/place.ts'
import type { RetainedValues as StoredValues } from '../../store/history.ts'
import type { RoomConfig } from '../config.ts'
import { RetainedValues } from './retained-values.ts'
import type { RetainedWriter } from './retained-writer.ts'

export class RetainedRooms {
  readonly #store: StoredValues
  readonly #writer: RetainedWriter

  constructor(store: StoredValues, writer: RetainedWriter) {
    this.#store = store
    this.#writer = writer
  }

  /**
   * What a room with this config keeps; `before`: what it kept until now. Undefined where it keeps
   * none. Rejects with StoreError.
   */
  async open(
    roomId: string,
    place: Place,
    { retained: config }: RoomConfig,
    before?: RetainedValues,
  ): Promise<RetainedValues | undefined> {
    if (!config) return undefined
    if (before) {
      before.config = config
      return before
    }
    const values = new Map((await this.#store.load(roomId)).map((each) => [each.channel, each]))
    for (const [channel, message] of this.#writer.pendingOf(roomId)) {
      values.delete(channel)
      if (message) values.set(channel, message)
    }
    const stored = [...values.values()]
    return new RetainedValues({ config, roomId, place, writer: this.#writer, stored })
  }
}
