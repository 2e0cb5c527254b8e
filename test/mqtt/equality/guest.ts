/**
 * Somebody who is connected, over whichever medium: what he sends, hears and is told has one form,
 * so that one test tries all of them (R54).
 */
import { create, fromBinary, fromJsonString, toBinary, toJsonString } from '@bufbuild/protobuf'
import { type Envelope, Replay } from '@porthouse/proto/v1/envelope'
import { type Frame, PacketSchema } from '@porthouse/proto/v1/frame'
import type { Receipt } from '@porthouse/proto/v1/receipt'
import { type FrameInit, text } from '../../support/client-frames.ts'
import { roomFrame } from '../../support/told.ts'

export const MEDIA = ['binary', 'json', 'mqtt 3.1.1', 'mqtt 5'] as const
export type Medium = (typeof MEDIA)[number]

/** A room's message, as far as its medium tells of it. */
export interface Heard {
  readonly channel: string
  readonly bytes: Buffer
  readonly text?: boolean
  readonly id?: string
  readonly from?: string
  readonly sequence?: number
  readonly epoch?: number
  readonly timeMs?: number
  readonly replay?: string
  readonly contentType?: string
  readonly replyTo?: string
  readonly correlation?: string
  readonly headers?: readonly (readonly [string, string])[]
  /** Seconds; 0: it does not expire. */
  readonly expiresAfter?: number
  /** MQTT alone. */
  readonly qos?: number
  readonly retain?: boolean
}

/** What is sent. */
export interface Said {
  readonly channel?: string
  readonly content?: string | Buffer
  readonly contentType?: string
  readonly replyTo?: string
  readonly correlation?: Buffer
  readonly headers?: readonly (readonly [string, string])[]
  readonly expiresAfter?: number
  readonly retain?: boolean
  readonly key?: string
}

export interface EnterOptions {
  readonly presence?: boolean
  readonly replayed?: boolean
  readonly sendOnly?: boolean
}

export abstract class Guest {
  abstract readonly medium: Medium
  readonly #frames: Frame[] = []
  readonly #heard: Heard[] = []
  #wake = Promise.withResolvers<void>()
  #over = false
  /** Beyond the packet identifiers of MQTT, which receipts have as well. */
  #lastId = 100_000
  /** Its own address. */
  address = ''

  /** Goes into a room and hears all of it; as its medium does. */
  abstract enters(room: string, options?: EnterOptions): Promise<void>
  abstract leaves(room: string): Promise<void>
  /** Sends to a room; resolves with what became of it. */
  abstract says(room: string, said: Said | string): Promise<Receipt>
  /** Says frames to the gateway. */
  abstract tells(...frames: FrameInit[]): void
  /** The connection ends without a word. */
  abstract vanishes(): void
  /** How the gateway ended it: the close code, or MQTT 5's reason. */
  abstract readonly ended: Promise<number | undefined>

  /** Sends to anybody, by an Envelope. */
  async writes(to: readonly string[], content: string): Promise<Receipt> {
    const { body } = await this.asks(text(this.nextId(), content, { to: [...to] }))
    if (body.case === 'receipt') return body.value
    throw new Error(`${body.case} in place of a receipt`)
  }
  nextId(): number {
    return ++this.#lastId
  }

  protected take(frame: Frame): void {
    this.#frames.push(frame)
    this.#stir()
  }

  protected hear(heard: Heard): void {
    this.#heard.push(heard)
    this.#stir()
  }

  protected end(): void {
    this.#over = true
    this.#stir()
  }

  #stir(): void {
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }

  /** The next message of a room. */
  async hears(): Promise<Heard> {
    return this.#next(this.#heard, () => true, 'a message')
  }

  async hearsAll(count: number): Promise<Heard[]> {
    const heard: Heard[] = []
    while (heard.length < count) heard.push(await this.hears())
    return heard
  }

  async hearsText(): Promise<string> {
    return (await this.hears()).bytes.toString()
  }

  /** What it has been given and was not asked for. */
  get waiting(): readonly Heard[] {
    return this.#heard
  }

  /** The next frame of this kind, such as `receipt` or `joined`; others wait. */
  async told(kind: string): Promise<Frame> {
    return this.#next(this.#frames, (frame) => kindOf(frame) === kind, kind)
  }

  /** The value of the next frame of a kind. */
  async hasTold(kind: string): Promise<Record<string, unknown>> {
    return valueIn(await this.told(kind))
  }

  /** Frames that came and were not asked for, by their kinds. */
  get untold(): string[] {
    return this.#frames.map(kindOf)
  }

  /** Sends a frame; the answer to it. */
  async asks(frame: FrameInit): Promise<Frame> {
    this.tells(frame)
    return this.answerTo(frame.id ?? 0)
  }

  async asksRoom(kind: string, value: object): Promise<Record<string, unknown>> {
    return valueIn(await this.asks(roomFrame(this.nextId(), kind as never, value)))
  }

  async commands(kind: string, value: object): Promise<Record<string, unknown>> {
    const action = { case: kind, value }
    const frame = { id: this.nextId(), body: { case: 'command', value: { action } } } as FrameInit
    return valueIn(await this.asks(frame))
  }

  /** The next frame with this id. */
  protected answerTo(id: number): Promise<Frame> {
    return this.#next(this.#frames, (each) => each.id === id, `an answer to ${id}`)
  }

  async #next<T>(queue: T[], fits: (item: T) => boolean, wanted: string): Promise<T> {
    for (;;) {
      const at = queue.findIndex(fits)
      if (at >= 0) return queue.splice(at, 1)[0] as T
      if (this.#over) throw new Error(`${this.medium} ended before ${wanted} came`)
      await this.#wake.promise
    }
  }
}

export function kindOf({ body }: Frame): string {
  if (body.case === 'room' || body.case === 'command') return body.value.action.case ?? ''
  return body.case ?? ''
}

export function valueIn({ body }: Frame): Record<string, unknown> {
  const value = body.case === 'room' || body.case === 'command' ? body.value.action : body
  return value.value as unknown as Record<string, unknown>
}

const REPLAYS = { [Replay.HISTORY]: 'history', [Replay.SESSION]: 'session' } as const

/** A room's message as a WebSocket has it. */
export function heardIn(envelope: Envelope): Heard {
  const { stamp, content, contentType, replyTo, correlationId, headers, expiresAfter } = envelope
  const replay =
    stamp?.replay === Replay.RETAINED ? 'retained' : REPLAYS[stamp?.replay as keyof typeof REPLAYS]
  return {
    channel: stamp?.channel ?? '',
    bytes: Buffer.from(content.value ?? ''),
    text: content.case === 'text',
    id: Buffer.from(stamp?.id ?? []).toString('hex'),
    from: stamp?.from ?? '',
    sequence: Number(stamp?.sequence),
    timeMs: Number(stamp?.timeMs),
    ...(replay && { replay }),
    contentType,
    replyTo,
    correlation: Buffer.from(correlationId).toString('hex'),
    headers: sorted(Object.entries(headers)),
    expiresAfter,
  }
}

export function sorted(
  headers: readonly (readonly [string, string])[],
): readonly (readonly [string, string])[] {
  return headers.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}

export function packetBytes(json: boolean, frames: FrameInit[]): Buffer {
  const packet = create(PacketSchema, { frames })
  return Buffer.from(json ? toJsonString(PacketSchema, packet) : toBinary(PacketSchema, packet))
}

export function framesIn(json: boolean, bytes: Buffer): Frame[] {
  if (json) return fromJsonString(PacketSchema, bytes.toString()).frames
  return fromBinary(PacketSchema, new Uint8Array(bytes)).frames
}
