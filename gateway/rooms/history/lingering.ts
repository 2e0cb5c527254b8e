/**
 * Rooms that nobody is in, but whose window of messages is still fresh: they stay in memory until
 * it has passed, so that who was cut off finds what he missed. Bounded in bytes over all of them;
 * the longest empty go first.
 */
import type { Room } from '../rooms.ts'

export interface LingeringOptions {
  /** Of all of them, in bytes. */
  readonly bytes: number
}

export class Lingering {
  readonly #options: LingeringOptions
  readonly #uptime: () => number
  readonly #rooms = new Map<Room, { readonly bytes: number; readonly timer: NodeJS.Timeout }>()
  #bytes = 0

  constructor(options: LingeringOptions, uptime: () => number) {
    this.#options = options
    this.#uptime = uptime
  }

  /** Whether an empty room is to stay for now; `end` is called when no longer. */
  keeps(room: Room, end: (room: Room) => void): boolean {
    this.forget(room)
    const { kind, window } = room.history
    const left = window.expiresAt - this.#uptime()
    if (kind !== 'window' || room.forgotten || left <= 0) return false
    if (window.bytes > this.#options.bytes) return false
    const over = (each: Room) => {
      this.forget(each)
      end(each)
    }
    const timer = setTimeout(() => over(room), left).unref()
    this.#rooms.set(room, { bytes: window.bytes, timer })
    this.#bytes += window.bytes
    for (const [oldest] of this.#rooms) {
      if (this.#bytes <= this.#options.bytes) break
      over(oldest)
    }
    return true
  }

  /** Somebody is in it again, or it is gone. */
  forget(room: Room): void {
    const kept = this.#rooms.get(room)
    if (!kept) return
    clearTimeout(kept.timer)
    this.#rooms.delete(room)
    this.#bytes -= kept.bytes
  }
}
