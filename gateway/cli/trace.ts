/** `--trace`: each frame of each packet, as one line, with what is secret left out. */
import { fromBinary } from '@bufbuild/protobuf'
import type { OnPacket } from '@porthouse/client'
import type { Code } from '@porthouse/proto/v1/code'
import type { Command } from '@porthouse/proto/v1/command'
import type { Envelope } from '@porthouse/proto/v1/envelope'
import { EventKind } from '@porthouse/proto/v1/event'
import { type Frame, PacketSchema } from '@porthouse/proto/v1/frame'
import {
  type Answer,
  type Challenge,
  type LockStep,
  Outcome,
  type Verdict,
} from '@porthouse/proto/v1/lock_step'
import { type Receipt, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import type { Room } from '@porthouse/proto/v1/room'
import { codeInfo } from '../protocol/codes.ts'
import { harmless } from './output.ts'

const ARROWS = { sent: '→', received: '←' } as const
const HIDDEN = '***'

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
      return roomParts(body.value.action)
    case 'drop': {
      const { code, detail, retryAfterMs } = body.value
      return ['drop', nameOf(code), detail, retryAfterMs ? `retry after ${retryAfterMs} ms` : '']
    }
    case 'command':
      return commandParts(body.value.action)
    case 'event': {
      const { kind, socket, place, acceptor, code } = body.value
      return ['event', wordOf(EventKind, kind), socket, place, acceptor, nameOf(code)]
    }
    case 'resume':
      return ['resume', HIDDEN, `good for ${body.value.expiresMs} ms`]
    default:
      return ['frame of a kind that is not known here']
  }
}

function stepParts({ lock, step }: LockStep): string[] {
  switch (step.case) {
    case 'challenge':
      return ['challenge', lock, ...challengeParts(step.value)]
    case 'answer':
      return ['answer', lock, step.value.acceptor, responsePart(step.value.response)]
    case 'verdict':
      return ['verdict', lock, ...verdictParts(step.value)]
    default:
      return ['lock step of a kind that is not known here']
  }
}

function challengeParts({ acceptor, place, depth, triesLeft, deadlineMs, others, ask }: Challenge) {
  const choice = [acceptor, ...others].join(' or ')
  const bounds = [`depth ${depth}`, `tries ${triesLeft}`, `${deadlineMs} ms`]
  return [choice, place && `for ${place}`, ...bounds, askPart(ask)]
}

function askPart(ask: Challenge['ask']): string {
  switch (ask.case) {
    case 'nonce':
      return `nonce of ${ask.value.nonce.length} bytes`
    case 'scram':
      return `scram with ${ask.value.iterations} rounds`
    case 'prompts':
      return `prompts ${ask.value.prompts.map(({ text }) => JSON.stringify(text)).join(', ')}`
    case 'visit':
      return `visit ${ask.value.url}`
    case 'data':
      return `data of ${ask.value.length} bytes`
    default:
      return ''
  }
}

function responsePart(response: Answer['response']): string {
  switch (response.case) {
    case 'text':
    case 'data':
      return `${response.case} ${HIDDEN}`
    case 'signature':
      return `signature of ${response.value.client} for ${response.value.gateway} ${HIDDEN}`
    case 'scramStart':
      return `scram start of ${response.value.key} for ${response.value.gateway}`
    case 'scramProof':
      return `scram proof ${HIDDEN}`
    case 'responses':
      return `responses ${response.value.values.map(() => HIDDEN).join(', ')}`
    default:
      return 'chosen'
  }
}

function verdictParts({ outcome, code, triesLeft, values }: Verdict): string[] {
  const proved = Object.entries(values).map(([name, value]) =>
    name === 'server_signature' ? `${name}=${HIDDEN}` : `${name}=${value}`,
  )
  return [wordOf(Outcome, outcome), nameOf(code), triesPart(triesLeft), ...proved]
}

function triesPart(left: number): string {
  return left === 0 ? '' : `tries ${left}`
}

function envelopeParts({ routing, stamp, content }: Envelope): string[] {
  const { route, channel } = routing ?? stamp ?? { route: 0, channel: '' }
  const from = stamp ? `from ${stamp.from}` : ''
  const as = routing?.acting ? `as ${routing.acting}` : ''
  const size = `${content.case ?? 'payload'} of ${Buffer.byteLength(content.value ?? '')} bytes`
  return ['envelope', from, as, routePart(route), channel, ...(routing?.to ?? []), size]
}

function routePart(route: number): string {
  return route === 0 ? '' : `route ${route}`
}

function receiptParts({ status, code, sockets, sequence }: Receipt): string[] {
  const place = sequence === 0n ? '' : `position ${sequence}`
  const name = wordOf(ReceiptStatus, status)
  return ['receipt', name, nameOf(code), `${sockets} sockets`, place]
}

function roomParts(action: Room['action']): string[] {
  switch (action.case) {
    case 'join':
      return ['join', action.value.address, action.value.sendOnly ? 'to send' : '']
    case 'joined': {
      const { address, route, maySend, listening } = action.value
      const rights = [maySend ? 'may send' : '', listening ? 'listening' : '']
      return ['joined', address, `route ${route}`, ...rights]
    }
    case 'leave':
      return ['leave', action.value.address]
    case 'left':
      return ['left', action.value.address, nameOf(action.value.code)]
    case 'lost':
      return ['lost', `${action.value.count} messages`, nameOf(action.value.code)]
    default:
      return ['room action that is not known here']
  }
}

function commandParts(action: Command['action']): string[] {
  switch (action.case) {
    case 'listSockets':
    case 'listRooms':
    case 'watch':
      return [action.case, action.value.of]
    case 'sockets':
      return [action.case, `${action.value.sockets.length}`]
    case 'rooms':
      return [action.case, `${action.value.rooms.length}`]
    case 'dropSocket':
      return [action.case, action.value.socket]
    case 'admit':
      return [action.case, action.value.lock, action.value.admitted ? 'yes' : 'no']
    case 'done':
      return [action.case]
    default:
      return ['command that is not known here']
  }
}

/** The name of a number in an enum; the number itself, where it is a later one. */
function wordOf(words: Readonly<Record<string, number>>, number: number): string {
  return Object.keys(words).find((word) => words[word] === number) ?? `${number}`
}

function nameOf(code: Code): string {
  return code === 0 ? '' : codeInfo(code).name
}
