/** Frames that many sockets are told, encoded once for each lane. */
import type { Frame } from '@porthouse/proto/v1/frame'
import type { Lane } from '../../router/lane.ts'

export class Notice {
  readonly frames: readonly Frame[]
  readonly #encoded = new Map<Lane, Buffer>()

  constructor(frames: readonly Frame[]) {
    this.frames = frames
  }

  /** All of them as one transport message. */
  encode(lane: Lane): Buffer {
    let bytes = this.#encoded.get(lane)
    if (!bytes) {
      const writer = lane.writer()
      for (const frame of this.frames) writer.frame(frame)
      bytes = writer.whole()
      this.#encoded.set(lane, bytes)
    }
    return bytes
  }
}
