import { isFilter, splitRoom } from './address.ts'

/** Somebody who catches up. */
export interface Turn {
  readonly address: string
}

/**
 * Who of a room's listeners may catch up at the same time. The gateway says what is of the past,
 * but not for which of them; so those that may hear the same message take turns.
 */
export class Turns {
  readonly #active = new Set<Turn>()
  #waiting: (() => void)[] = []

  /** Undefined: not now. */
  take(address: string): Turn | undefined {
    for (const other of this.#active) if (overlap(address, other.address)) return undefined
    const turn = { address }
    this.#active.add(turn)
    return turn
  }

  async wait(address: string): Promise<Turn> {
    for (;;) {
      const turn = this.take(address)
      if (turn) return turn
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  end(turn: Turn): void {
    if (this.#active.delete(turn)) this.#wake()
  }

  /** The connection on which they catch up is gone. */
  clear(): void {
    this.#active.clear()
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

function overlap(one: string, other: string): boolean {
  if (one === other) return true
  return splitRoom(one).room === splitRoom(other).room && !(isOne(one) && isOne(other))
}

/** Whether it is a single channel, of which no other single one hears anything. */
function isOne(address: string): boolean {
  const { channel } = splitRoom(address)
  return channel !== '' && !isFilter(channel)
}
