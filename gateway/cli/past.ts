/** What of a room's past a command asks for, and how far it has read. */
import { setTimeout } from 'node:timers/promises'
import type { Message, Room, Since } from '@porthouse/client'
import { usage } from './failure.ts'
import { parseLast, parseSince } from './quantity.ts'

export interface PastOptions {
  readonly since?: string
  readonly last?: string
}

/** How long the gateway may take over the last cursor, in milliseconds. */
const TELL_MS = 5_000

/** Undefined: nothing of it. Throws a Failure of usage. */
export function pastOf({ since, last }: PastOptions): Since | undefined {
  if (since !== undefined && last !== undefined) {
    throw usage('--since and --last exclude each other')
  }
  if (last !== undefined) return { last: parseLast(last) }
  return since === undefined ? undefined : parseSince(since)
}

/** Moves a client's cursor behind what was printed. */
export class ReadMark {
  readonly #room: Room
  #told: Promise<void> = Promise.resolve()
  #failure: { error: unknown } | undefined

  constructor(room: Room) {
    this.#room = room
  }

  printed(message: Message): void {
    // What is replayed beside the history may lie far behind.
    if (message.replay === 'session' || message.replay === 'retained') return
    this.#told = this.#room.read(message).catch((error: unknown) => {
      this.#failure ??= { error }
    })
  }

  /**
   * Resolves when the gateway knows all of it, or says nothing for five seconds; rejects where it
   * refuses.
   */
  async told(): Promise<void> {
    // Who is away for long is not waited for.
    await Promise.race([this.#told, setTimeout(TELL_MS, undefined, { ref: false })])
    if (this.#failure) throw this.#failure.error
  }
}
