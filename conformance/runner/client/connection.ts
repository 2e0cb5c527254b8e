/**
 * One connection of a client to the reference gateway: what it sends, held against the rules, and
 * whatever the script wants it to get. How both cross the wire is its transport's.
 */
import { fromBinary, toBinary, toJson, toJsonString } from '@bufbuild/protobuf'
import { type Frame, FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import { BadEncoding, checkEncoding } from './encoding.ts'
import { FrameRules } from './frame-rules.ts'
import type { PlainGateway } from './plain-gateway.ts'

export interface ConnectionHost {
  broke(clause: string, what: string): void
  trace(line: string): void
  packet(connection: Connection, frames: Frame[]): void
  ponged(connection: Connection): void
  closed(connection: Connection): void
}

export abstract class Connection {
  /** What answers where the script does not. */
  readonly plain: PlainGateway
  /** Of the last Drop that was sent. */
  retryAfterMs = 0
  /** After it nothing more is to be sent (PH-3.5), and the time to wait begins (PH-9.4). */
  droppedAtMs: number | undefined
  /** Hello has come, and no Welcome was sent. */
  owesWelcome = false
  protected readonly host: ConnectionHost
  readonly #rules: FrameRules
  /** The close code that the client saw; undefined while it is open. */
  #code: number | undefined

  constructor(plain: PlainGateway, host: ConnectionHost) {
    this.plain = plain
    this.host = host
    this.#rules = new FrameRules((clause, what) => host.broke(clause, what))
  }

  /** As the client saw it end. */
  get closeCode(): number {
    return this.#code ?? 1006
  }

  abstract get isOpen(): boolean

  send(frames: readonly Frame[]): void {
    for (const frame of frames) this.#note(frame)
    if (this.isOpen) this.write(frames)
  }

  /** As one packet, where the transport has packets of several frames. */
  protected abstract write(frames: readonly Frame[]): void
  abstract sendBytes(bytes: Uint8Array): void
  abstract sendText(text: string): void
  /** Beneath the transport. */
  abstract sendWire(bytes: Uint8Array): void
  abstract ping(): void
  abstract close(code: number): void
  abstract cut(): void
  /** Reads no more, so that there is nobody to answer. */
  abstract stall(): void

  /** This side ends it. */
  protected ends(code: number): void {
    if (!this.isOpen) return
    this.#code = code
    this.host.trace(`→ end ${code}`)
  }

  /** It is over. */
  protected ended(code: number): void {
    this.host.trace(`closed ${code}`)
    // Ours reached it first, or it went by itself.
    this.#code ??= code
    this.host.closed(this)
  }

  /** The frames of a packet, so many bytes, are held against the rules. */
  protected checked(frames: readonly Frame[], bytes: number): void {
    this.#rules.packet(frames, bytes)
    for (const frame of frames) {
      this.#rules.frame(frame, toBinary(FrameSchema, frame).length)
      if (frame.body.case === 'hello') this.owesWelcome = true
      this.host.trace(`← ${JSON.stringify(toJson(FrameSchema, frame))}`)
    }
  }

  /** undefined: no two decoders would read it alike. */
  protected decoded(bytes: Uint8Array): Frame[] | undefined {
    try {
      checkEncoding(PacketSchema, bytes, (message, number) => {
        const isReserved = message === 'Envelope' && number >= 16 && number <= 31
        if (isReserved) this.host.broke('PH-6.3', `field ${number} of an envelope`)
      })
      return fromBinary(PacketSchema, bytes).frames
    } catch (error) {
      if (!(error instanceof BadEncoding)) throw error
      this.host.broke('PH-2.6', error.message)
      return undefined
    }
  }

  #note(frame: Frame): void {
    this.host.trace(`→ ${toJsonString(FrameSchema, frame)}`)
    this.#rules.sent(frame)
    const { body, id } = frame
    if (body.case === 'welcome') this.owesWelcome = false
    if (body.case === 'drop' && id === 0) {
      this.retryAfterMs = body.value.retryAfterMs
      this.droppedAtMs = performance.now()
    }
    if (body.case !== 'room' || body.value.action.case !== 'joined') return
    const { route, address } = body.value.action.value
    this.plain.gave(route, address)
  }
}
