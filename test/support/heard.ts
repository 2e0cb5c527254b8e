/** What a gateway wrote to a socket, read back. */
import { fromBinary, fromJsonString } from '@bufbuild/protobuf'
import type { Envelope } from '@porthouse/proto/v1/envelope'
import { type Frame, PacketSchema } from '@porthouse/proto/v1/frame'
import { codeInfo } from '../../gateway/protocol/codes.ts'

/** The frames in unmasked WebSocket messages, which must be whole. */
export function framesIn(bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  for (let pos = 0; pos < bytes.length; ) {
    const text = bytes[pos] === 0x81
    const short = bytes[pos + 1] as number
    let size = short
    let start = pos + 2
    if (short === 126) {
      size = bytes.readUInt16BE(start)
      start += 2
    } else if (short === 127) {
      size = Number(bytes.readBigUInt64BE(start))
      start += 8
    }
    pos = start + size
    const packet = bytes.subarray(start, pos)
    if (packet.length !== size) throw new Error('a message that is not whole')
    frames.push(...framesOf(packet, text))
  }
  return frames
}

/** The frames of one packet, in either wire form. */
export function framesOf(packet: Buffer, text: boolean): Frame[] {
  const { frames } = text
    ? fromJsonString(PacketSchema, packet.toString() || '{}')
    : fromBinary(PacketSchema, new Uint8Array(packet))
  return frames
}

export function envelopes(frames: readonly Frame[]): Envelope[] {
  return frames.flatMap(({ body }) => (body.case === 'envelope' ? [body.value] : []))
}

export function textOf({ content }: Envelope): string {
  return content.case === 'payload' ? Buffer.from(content.value).toString() : (content.value ?? '')
}

/** A frame in one line, for tests that look at what is said and in which order. */
export function brief({ id, body }: Frame): string {
  return `${id} ${briefBody(body)}`
}

function briefBody(body: Frame['body']): string {
  switch (body.case) {
    case 'envelope':
      return `envelope ${textOf(body.value)}`
    case 'receipt': {
      const { status, code, sockets } = body.value
      return `receipt ${STATUSES[status]} ${code === 0 ? sockets : codeInfo(code).name}`
    }
    case 'drop':
      return `drop ${codeInfo(body.value.code).name}`
    case 'lockStep': {
      const { step } = body.value
      if (step.case !== 'verdict') return `${step.case} ${step.value?.acceptor}`
      const { outcome, code } = step.value
      return `verdict ${OUTCOMES[outcome]}${code === 0 ? '' : ` ${codeInfo(code).name}`}`
    }
    case 'room':
      return briefAction(body.value.action)
    default:
      return `${body.case}`
  }
}

type Action = Extract<Frame['body'], { case: 'room' }>['value']['action']

function briefAction(action: Action): string {
  switch (action.case) {
    case 'joined':
    case 'left':
      return `${action.case} ${action.value.address}`
    case 'lost': {
      const { count, fromSequence, toSequence } = action.value
      return `lost ${count} in ${fromSequence}-${toSequence}`
    }
    default:
      return `${action.case}`
  }
}

const STATUSES = ['', 'ACCEPTED', 'ROUTED', 'STORED', 'VOID', 'DUPLICATE', 'REJECTED']
const OUTCOMES = ['', 'passed', 'failed', 'dropped']
