import type { PorthouseError } from './error.ts'
import type { GatewayEvent } from './gateway-event.ts'
import type { Rejoined } from './handshake.ts'
import type { Lost } from './message.ts'

export interface ClientEvents {
  /** The connection is lost; the next attempt, counted from 1, comes after `delayMs`. */
  reconnecting: { attempt: number; delayMs: number; error: PorthouseError }
  /** Connected again, with the rooms that were found again. */
  reconnected: { socket: string; rooms: readonly Rejoined[] }
  /** What the gateway tells of sockets; beyond the public only what `watch` asked for. */
  event: GatewayEvent
  /** The gateway says what this socket will not get. */
  lost: Lost
  /** A room or the own client's channel could not go on where it was. */
  gap: Lost
  /** The gateway says why it ends the connection or, with an address, a stay in a room. */
  drop: { error: PorthouseError; address?: string }
  /**
   * A message was rejected after all: one that was accepted, whose `receipt.id` it has then, or one
   * sent at level `none`; which one of these cannot be known.
   */
  rejected: PorthouseError
  /** Closed for good; without an error, because you asked. Told also to who asks afterwards. */
  closed: { error?: PorthouseError }
}

/**
 * Tells listeners what happened; a listener that throws harms neither the others nor the caller.
 */
export class Events<Map extends object> {
  readonly #listeners = new Map<keyof Map, Set<(event: never) => void>>()
  #last: ((name: keyof Map, listener: (event: never) => void) => void) | undefined

  /** Returns a function that takes the listener off again. */
  on<Name extends keyof Map>(name: Name, listener: (event: Map[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    // A function of its own for each call, so that one listener added twice is taken off once a
    // time.
    const entry = (event: Map[Name]) => listener(event)
    listeners.add(entry)
    this.#last?.(name, entry)
    return () => void listeners.delete(entry)
  }

  /** After it nothing happens any more; who listens too late to hear it is told as well. */
  end<Name extends keyof Map>(name: Name, event: Map[Name]): void {
    this.emit(name, event)
    this.#last = (wanted, listener) => {
      if (wanted === name) queueMicrotask(() => listener(event as never))
    }
  }

  emit<Name extends keyof Map>(name: Name, event: Map[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        ;(listener as (event: Map[Name]) => void)(event)
      } catch (error) {
        // As the platform does with its own events: reported, not swallowed.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
