/** How a gateway ends a connection, and proof that others do not notice. */
import type { Frame } from '@porthouse/proto/v1/frame'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { expect } from 'vitest'
import { codeInfo } from '../../gateway/protocol/codes.ts'
import { answer, join, text } from './client-frames.ts'
import type { TestGateway } from './gateway.ts'
import { BINARY, type RawOptions, RawWebSocket } from './raw-websocket.ts'

export interface Outcome {
  /** Name of the code. */
  readonly code: string
  /** The frames before the last one. */
  readonly before: Frame[]
}

/** Waits for the end by a Drop with id 0, which must be the last frame and match the close code. */
export async function dropped(socket: RawWebSocket, opcode = BINARY): Promise<Outcome> {
  const { code, reason } = await socket.ended
  const frames = await socket.rest(opcode)
  const last = frames.pop()
  if (last?.body.case !== 'drop' || last.id !== 0) {
    throw new Error(`closed with ${code} ${reason}, without a Drop`)
  }
  const { name, websocketClose } = codeInfo(last.body.value.code)
  expect(code).toBe(websocketClose)
  expect(reason).toMatch(new RegExp(`^${name}: `))
  return { code: name, before: frames }
}

/** The names of the codes by which single requests were refused, with their ids. */
export function refusals(frames: readonly Frame[]): [id: number, code: string][] {
  return frames.flatMap(({ id, body }): [number, string][] => {
    if (body.case === 'drop') return [[id, codeInfo(body.value.code).name]]
    if (body.case !== 'receipt' || body.value.status !== ReceiptStatus.REJECTED) return []
    return [[id, codeInfo(body.value.code).name]]
  })
}

export interface Member {
  readonly socket: RawWebSocket
  /** Of the room. */
  readonly route: number
}

/** A socket that has proved a token and joined. */
export async function member(
  gateway: { readonly port: number },
  token: string,
  address: string,
  options?: RawOptions,
): Promise<Member> {
  const socket = await RawWebSocket.open(gateway.port, options)
  socket.packet(answer(1, token), join(2, address))
  const [, joined] = await socket.frames(2)
  if (joined?.body.case !== 'room' || joined.body.value.action.case !== 'joined') {
    throw new Error(`not joined: ${JSON.stringify(joined)}`)
  }
  return { socket, route: joined.body.value.action.value.route }
}

/** Two well-behaved members of a room of their own. */
export class Witnesses {
  readonly #speaker: Member
  readonly #listener: Member
  #said = 0

  static async call(gateway: TestGateway): Promise<Witnesses> {
    await gateway.room('witness/stand')
    const token = await gateway.token('witness', ['stand'])
    const [speaker, listener] = await Promise.all(
      [1, 2].map(() => member(gateway, token, 'room:witness/stand', { kept: true })),
    )
    return new Witnesses(speaker!, listener!)
  }

  /** They must be alone in their room, which must be new. */
  constructor(speaker: Member, listener: Member) {
    this.#speaker = speaker
    this.#listener = listener
  }

  /** One says something; it arrives with the next position, and nothing else has arrived before. */
  async check(): Promise<void> {
    const said = `${++this.#said}`
    this.#speaker.socket.packet(text(this.#said, said, { route: this.#speaker.route }))
    const [receipt, message] = await Promise.all([
      this.#speaker.socket.frame(),
      this.#listener.socket.frame(),
    ])
    expect(receipt).toMatchObject({
      id: this.#said,
      body: { value: { status: ReceiptStatus.ROUTED, sockets: 1, sequence: BigInt(said) } },
    })
    expect(message.body.value).toMatchObject({
      content: { value: said },
      stamp: { sequence: BigInt(said) },
    })
  }
}
