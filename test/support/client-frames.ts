/** Frames that a client sends, in their short forms. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import type { EnvelopeSchema, RoutingSchema } from '@porthouse/proto/v1/envelope'
import { type FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'

export type FrameInit = MessageInitShape<typeof FrameSchema>
type EnvelopeInit = MessageInitShape<typeof EnvelopeSchema>
type RoutingInit = MessageInitShape<typeof RoutingSchema>

/** One packet's bytes. */
export function packetOf(...frames: FrameInit[]): Buffer {
  return Buffer.from(toBinary(PacketSchema, create(PacketSchema, { frames })))
}

export function hello(id: number, minorVersion = 0): FrameInit {
  return { id, body: { case: 'hello', value: { agent: 'test', minorVersion } } }
}

/** An answer for the acceptor `token`. */
export function answer(id: number, secret: string | Uint8Array<ArrayBuffer>): FrameInit {
  const response =
    typeof secret === 'string'
      ? { case: 'text' as const, value: secret }
      : { case: 'data' as const, value: secret }
  const step = { case: 'answer' as const, value: { acceptor: 'token', response } }
  return { id, body: { case: 'lockStep', value: { step } } }
}

/** An answer of one word for any acceptor; without a word it chooses the acceptor. */
export function say(id: number, acceptor: string, word?: string, lock = ''): FrameInit {
  const response = word === undefined ? undefined : { case: 'text' as const, value: word }
  const step = { case: 'answer' as const, value: { acceptor, ...(response && { response }) } }
  return { id, body: { case: 'lockStep', value: { lock, step } } }
}

export function join(id: number, address: string, sendOnly = false): FrameInit {
  const action = { case: 'join' as const, value: { address, sendOnly } }
  return { id, body: { case: 'room', value: { action } } }
}

export function leave(id: number, address: string): FrameInit {
  return { id, body: { case: 'room', value: { action: { case: 'leave', value: { address } } } } }
}

/** A text that asks for a receipt of level routed; `routing` says where to. */
export function text(
  id: number,
  content: string,
  routing: RoutingInit = {},
  rest: EnvelopeInit = {},
): FrameInit {
  const value = {
    routing: { receipt: ReceiptLevel.ROUTED, ...routing },
    content: { case: 'text' as const, value: content },
    ...rest,
  } as EnvelopeInit
  return { id, body: { case: 'envelope', value } as FrameInit['body'] } as FrameInit
}

/** The client leaves. */
export const bye: FrameInit = { body: { case: 'drop', value: {} } }
