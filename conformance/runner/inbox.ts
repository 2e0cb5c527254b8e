/** What came over one connection and was not expected yet, in order, and how it ended. */
import type { JsonObject } from '@bufbuild/protobuf'

export interface Arrived {
  /** JSON form of porthouse.v1.Frame. */
  readonly frame: JsonObject
  /** Frames of one packet have one number. */
  readonly packet: number
  /** Encoding of the frame's envelope, where the transport has one. */
  readonly envelope?: Uint8Array | undefined
}

/** How the gateway ended it. What the transport cannot say is absent. */
export interface Ending {
  /** Name of the code. */
  readonly code?: string | undefined
  readonly closeCode?: number | undefined
  readonly mqttReason?: number | undefined
}

/** For a person. */
export function shownEnding(ending: Ending | undefined): string {
  if (!ending) return 'the connection lives on'
  return `the connection ended: ${JSON.stringify(ending)}`
}

export class Inbox {
  readonly #arrived: Arrived[] = []
  #ending: Ending | undefined
  #wake: (() => void) | undefined

  push(arrived: Arrived): void {
    this.#arrived.push(arrived)
    this.#wake?.()
  }

  end(ending: Ending): void {
    this.#ending ??= ending
    this.#wake?.()
  }

  get waiting(): readonly Arrived[] {
    return this.#arrived
  }

  get ending(): Ending | undefined {
    return this.#ending
  }

  /** The next one; undefined where the connection ended before, or the time is over. */
  async take(withinMs: number): Promise<Arrived | undefined> {
    await this.#until(() => this.#arrived.length > 0 || this.#ending !== undefined, withinMs)
    return this.#arrived.shift()
  }

  /** How it ended; undefined where it lives on after the time. */
  async ended(withinMs: number): Promise<Ending | undefined> {
    await this.#until(() => this.#ending !== undefined, withinMs)
    return this.#ending
  }

  async #until(isSo: () => boolean, withinMs: number): Promise<void> {
    if (isSo()) return
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs)
      this.#wake = () => {
        if (isSo()) resolve()
      }
    })
    clearTimeout(timer)
    this.#wake = undefined
  }
}
