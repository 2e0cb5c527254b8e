/** `--trace`: each frame of each packet, as one line, with what is secret left out. */
import { fromBinary } from '@bufbuild/protobuf'
import type { OnPacket } from '@porthouse/client'
import { type Envelope, Replay } from '@porthouse/proto/v1/envelope'
import { type Event, EventKind } from '@porthouse/proto/v1/event'
import { type Frame, PacketSchema } from '@porthouse/proto/v1/frame'
import { type Receipt, ReceiptLevel, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { harmless } from '../output.ts'
import { commandParts } from './command.ts'
import { stepParts } from './lock-step.ts'
import { roomParts } from './room.ts'
import { HIDDEN, nameOf, positionPart, routePart, unknownAs, wordOf } from './words.ts'

const ARROWS = { sent: '→', received: '←' } as const

/** Tells `say` of each packet: a line for it, and one for each of its frames. */
export function tracer(say: (line: string) => void): OnPacket {
  return (direction, packet) => {
    const arrow = ARROWS[direction]
    if (packet.length === 0) return say(`${arrow} heartbeat`)
    for (const line of linesOf(packet)) say(harmless(`${arrow} ${line}`))
  }
}

function linesOf(packet: Uint8Array): string[] {
  try {
    const { frames } = fromBinary(PacketSchema, packet)
    const many = `${frames.length} frame${frames.length === 1 ? '' : 's'}`
    return [`packet of ${many}, ${packet.length} bytes`, ...frames.map(lineOf)]
  } catch {
    return [`packet that cannot be read, ${packet.length} bytes`]
  }
}

function lineOf({ id, body }: Frame): string {
  const [kind, ...facts] = partsOf(body).filter((part) => part !== '')
  const number = id === 0 ? [] : [`#${id}`]
  return `  ${[kind, ...number, ...facts].join(' ')}`
}

/** The kind, and the facts that matter. */
function partsOf(body: Frame['body']): string[] {
  switch (body.case) {
    case 'hello': {
      const { agent, capabilities, resume } = body.value
      return ['hello', agent, ...capabilities, resume && `resume ${HIDDEN}`]
    }
    case 'welcome': {
      const { socket, capabilities, resumed } = body.value
      return ['welcome', socket, ...capabilities, resumed ? 'resumed' : '']
    }
    case 'lockStep':
      return stepParts(body.value)
    case 'envelope':
      return envelopeParts(body.value)
    case 'receipt':
      return receiptParts(body.value)
    case 'room':
      return roomParts(body.value)
    case 'drop': {
      const { code, detail, retryAfterMs } = body.value
      return ['drop', nameOf(code), detail, retryAfterMs ? `retry after ${retryAfterMs} ms` : '']
    }
    case 'command':
      return commandParts(body.value)
    case 'event':
      return eventParts(body.value)
    case 'resume':
      return ['resume', HIDDEN, `good for ${body.value.expiresMs} ms`]
    default:
      return unknownAs('frame')
  }
}

function envelopeParts({ routing, stamp, content }: Envelope): string[] {
  const { route, channel } = routing ?? stamp ?? { route: 0, channel: '' }
  const where = [routePart(route), channel, ...(routing?.to ?? [])]
  const size = `${content.case ?? 'payload'} of ${Buffer.byteLength(content.value ?? '')} bytes`
  return ['envelope', ...whoParts({ routing, stamp }), ...where, size, ...termParts(routing)]
}

/** Who sent it, and where and why it comes. */
function whoParts({ routing, stamp }: Pick<Envelope, 'routing' | 'stamp'>): string[] {
  const as = routing?.acting ? `as ${routing.acting}` : ''
  if (!stamp) return [as]
  const replay = stamp.replay === Replay.UNSPECIFIED ? '' : `replay ${wordOf(Replay, stamp.replay)}`
  return [`from ${stamp.from}`, as, replay, positionPart(stamp.sequence)]
}

/** What its sender wants besides. */
function termParts(routing: Envelope['routing']): string[] {
  if (!routing) return []
  const { receipt, retain } = routing
  const level = receipt === ReceiptLevel.STORED ? 'to be stored' : ''
  return [level, retain ? 'to be retained' : '']
}

function receiptParts({ status, code, sockets, sequence, detail }: Receipt): string[] {
  const name = wordOf(ReceiptStatus, status)
  return ['receipt', name, nameOf(code), `${sockets} sockets`, positionPart(sequence), detail]
}

function eventParts({ kind, socket, place, acceptor, code }: Event): string[] {
  return ['event', wordOf(EventKind, kind), socket, place, acceptor, nameOf(code)]
}
