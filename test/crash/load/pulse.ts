/** A beat through a room that keeps nothing, to see whether the gateway goes on meanwhile. */
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import { type FrameInit, join } from '../../support/client-frames.ts'
import { Line, OWN_IDS, type Way } from './line.ts'

const BEAT_MS = 20
const JOIN = OWN_IDS + 1

export class Pulse {
  /** When beats were sent, and how long they took, in ms. */
  readonly beats: { readonly sentAt: number; readonly ms: number }[] = []
  readonly listener: Line
  readonly sender: Line
  readonly #timer: NodeJS.Timeout

  constructor(way: Way, room: string) {
    const address = `room:${room}`
    this.listener = new Line(way, {
      enter: () => [join(JOIN, address)],
      take: ({ body }) => {
        if (body.case !== 'envelope' || body.value.content.case !== 'text') return
        const sentAt = Number(body.value.content.value)
        this.beats.push({ sentAt, ms: performance.now() - sentAt })
      },
    })
    this.sender = new Line(way, { enter: () => [join(JOIN, address, true)], take: () => {} })
    const routing = { to: [address], receipt: ReceiptLevel.UNSPECIFIED }
    this.#timer = setInterval(() => {
      const content = { case: 'text', value: `${performance.now()}` }
      const frame = { body: { case: 'envelope', value: { routing, content } } } as FrameInit
      if (this.sender.isOpen) this.sender.send(frame)
    }, BEAT_MS)
  }

  /** Milliseconds of those that were sent between two moments. */
  between(from: number, to: number): number[] {
    return this.beats.filter(({ sentAt }) => sentAt >= from && sentAt < to).map(({ ms }) => ms)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all([this.listener.close(), this.sender.close()])
  }
}
