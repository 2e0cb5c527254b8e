import { type Receipt as ReceiptFrame, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { formatUuid } from './uuid.ts'

const ACCEPTED_MAX = 4096

/**
 * Messages that were accepted, by the ids of their frames: the store may refuse one later. Only the
 * latest are remembered.
 */
export class Accepted {
  readonly #ids = new Map<number, string>()

  note(frameId: number, { status, id }: ReceiptFrame): void {
    if (status !== ReceiptStatus.ACCEPTED || id.length !== 16) return
    this.#ids.set(frameId, formatUuid(id))
    const [oldest] = this.#ids.keys()
    if (this.#ids.size > ACCEPTED_MAX && oldest !== undefined) this.#ids.delete(oldest)
  }

  /** The id of the message that was refused after all. */
  take(frameId: number): string | undefined {
    const id = this.#ids.get(frameId)
    this.#ids.delete(frameId)
    return id
  }
}
