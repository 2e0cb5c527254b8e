/** Somebody on a WebSocket, with either subprotocol. */
import type { Frame } from '@porthouse/proto/v1/frame'
import { type Receipt, ReceiptLevel } from '@porthouse/proto/v1/receipt'
import { answer, type FrameInit } from '../../support/client-frames.ts'
import { BINARY, RawWebSocket, TEXT } from '../../support/raw-websocket.ts'
import { roomFrame } from '../../support/told.ts'
import { type EnterOptions, Guest, heardIn, packetBytes, type Said } from './guest.ts'

export class SocketGuest extends Guest {
  readonly medium: 'binary' | 'json'
  readonly socket: RawWebSocket
  readonly #opcode: number

  static async comes(
    port: number,
    medium: 'binary' | 'json',
    secret?: string,
  ): Promise<SocketGuest> {
    const protocol = medium === 'json' ? 'porthouse.v1.json' : 'porthouse.v1'
    const guest = new SocketGuest(await RawWebSocket.open(port, { protocol }), medium)
    const hello = { capabilities: ['events'] }
    const { body } = await guest.asks({
      id: guest.nextId(),
      body: { case: 'hello', value: hello },
    })
    if (body.case === 'welcome') guest.address = body.value.socket
    if (secret !== undefined) await guest.asks(answer(guest.nextId(), secret))
    return guest
  }

  private constructor(socket: RawWebSocket, medium: 'binary' | 'json') {
    super()
    this.socket = socket
    this.medium = medium
    this.#opcode = medium === 'json' ? TEXT : BINARY
    void this.#read()
  }

  async #read(): Promise<void> {
    try {
      for (;;) this.#sort(await this.socket.frame(this.#opcode))
    } catch {
      this.end()
    }
  }

  #sort(frame: Frame): void {
    const { body, id } = frame
    const isOfRoom = body.case === 'envelope' && id === 0 && body.value.stamp?.route !== 0
    if (isOfRoom) this.hear(heardIn(body.value))
    else this.take(frame)
  }

  tells(...frames: FrameInit[]): void {
    this.socket.send(this.#opcode, packetBytes(this.medium === 'json', frames))
  }

  async enters(room: string, options: EnterOptions = {}): Promise<void> {
    const id = this.nextId()
    this.tells(roomFrame(id, 'join', { address: `room:${room}`, ...options }))
    for (;;) {
      const frame = await this.answerTo(id)
      if (frame.body.case === 'drop') throw new Error(`refused with ${frame.body.value.code}`)
      if (frame.body.case !== 'lockStep') return
      // For whoever answers it.
      this.take({ ...frame, id: 0 })
    }
  }

  async leaves(room: string): Promise<void> {
    await this.asksRoom('leave', { address: `room:${room}` })
  }

  async says(room: string, said: Said | string): Promise<Receipt> {
    const {
      channel = '',
      content = '',
      retain,
      key,
      correlation,
      headers,
      ...rest
    } = typeof said === 'string' ? ({ content: said } as Said) : said
    const to = [`room:${room}${channel && '/'}${channel}`]
    const value = {
      routing: {
        to,
        receipt: ReceiptLevel.ROUTED,
        ...(retain && { retain }),
        ...(key !== undefined && { idempotencyKey: key }),
      },
      content:
        typeof content === 'string'
          ? { case: 'text', value: content }
          : { case: 'payload', value: new Uint8Array(content) },
      ...(correlation && { correlationId: new Uint8Array(correlation) }),
      ...(headers && { headers: Object.fromEntries(headers) }),
      ...rest,
    }
    const frame = { id: this.nextId(), body: { case: 'envelope', value } } as unknown as FrameInit
    const { body } = await this.asks(frame)
    if (body.case !== 'receipt') throw new Error(`${body.case} in place of a receipt`)
    return body.value
  }

  vanishes(): void {
    this.socket.reset()
  }

  get ended(): Promise<number | undefined> {
    return this.socket.ended.then(({ code }) => code)
  }
}
