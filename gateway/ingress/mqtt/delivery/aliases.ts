/** Topic aliases of what is sent to one client (MQTT 5 section 3.3.2.3.4). */

export interface Alias {
  readonly alias: number
  /** The client was told before what it stands for. */
  readonly knowsAlias: boolean
}

export class Aliases {
  readonly #most: number
  readonly #aliases = new Map<string, number>()
  /** Sent once: worth an alias if they come again. */
  readonly #seen = new Set<string>()

  /** `most`: what the client takes, and the config gives. */
  constructor(most: number) {
    this.#most = most
  }

  /** For a PUBLISH that is certain to be sent, in this order; undefined: none. */
  take(topic: string): Alias | undefined {
    const alias = this.#aliases.get(topic)
    if (alias !== undefined) return { alias, knowsAlias: true }
    if (this.#aliases.size >= this.#most) return undefined
    if (!this.#seen.delete(topic)) {
      if (this.#seen.size >= this.#most) this.#seen.clear()
      this.#seen.add(topic)
      return undefined
    }
    const next = this.#aliases.size + 1
    this.#aliases.set(topic, next)
    return { alias: next, knowsAlias: false }
  }
}
