/** The wire of a teleprinter: what the session writes goes to a dialogue, whose words go out. */
import { fromBinary } from '@bufbuild/protobuf'
import type { Code } from '@porthouse/proto/v1/code'
import { type Frame, PacketSchema } from '@porthouse/proto/v1/frame'
import type { Wire } from '../../../session/wire.ts'
import { HEADROOM, TEXT, writeHeader } from '../framing.ts'
import type { Printer } from './printer.ts'

/** One whole text message, as a server sends it. */
export function textMessage(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(HEADROOM + Buffer.byteLength(text))
  bytes.write(text, HEADROOM)
  return bytes.subarray(writeHeader(bytes, HEADROOM, bytes.length, TEXT))
}

export class TerminalWire implements Wire {
  readonly #under: Wire
  readonly #printer: Printer
  readonly #hear: (frames: Frame[]) => void
  /** What the end of the connection waits for; never rejects. */
  closeAfter: Promise<void> = Promise.resolve()
  #paused = false
  #full = false

  /** `under`: the WebSocket's own. */
  constructor(under: Wire, printer: Printer, hear: (frames: Frame[]) => void) {
    this.#under = under
    this.#printer = printer
    this.#hear = hear
  }

  get closed(): Promise<void> {
    return this.#under.closed
  }

  /** Whole packets, of which several joined are one (PH-2). */
  write(bytes: Buffer): void {
    this.#hear(fromBinary(PacketSchema, bytes).frames)
  }

  get buffered(): number {
    return this.#under.buffered + this.#printer.waiting
  }

  pause(): void {
    this.#paused = true
    this.#under.pause()
  }

  resume(): void {
    this.#paused = false
    if (!this.#full) this.#under.resume()
  }

  /** Whether the dialogue has enough to do, whatever the session says. */
  set full(full: boolean) {
    if (full === this.#full) return
    this.#full = full
    if (full) this.#under.pause()
    else if (!this.#paused) this.#under.resume()
  }

  get paused(): boolean {
    return this.#under.paused
  }

  ping(position: number): boolean {
    return this.#under.ping(position)
  }

  close(code: Code, detail: string): void {
    void this.closeAfter.then(() => {
      this.#printer.end(() => this.#under.close(code, detail))
    })
  }

  terminate(): void {
    this.#printer.stop()
    this.#under.terminate()
  }
}
