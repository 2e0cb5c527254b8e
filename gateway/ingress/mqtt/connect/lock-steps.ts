/**
 * The data of enhanced authentication (MQTT 5 section 4.12): Packets of lock steps, under method
 * `porthouse.v1` in Protobuf and under `porthouse.v1.json` in its JSON mapping.
 */
import { Code } from '@porthouse/proto/v1/code'
import type { Frame } from '@porthouse/proto/v1/frame'
import { Outcome } from '@porthouse/proto/v1/lock_step'
import { Refusal } from '../../../protocol/codes.ts'
import { framesOf, packetOf } from '../../packet.ts'
import { jsonOfPacket, packetOfJson } from '../../packet-json.ts'
import { MqttError, protocolError } from '../wire/mqtt-error.ts'

const METHODS = ['porthouse.v1', 'porthouse.v1.json'] as const
export type Method = (typeof METHODS)[number]

/** Answers that one packet may carry. */
const ANSWERS_MAX = 32

/** What MQTT can carry in one field. */
const DATA_BYTES_MAX = 65_535

const BAD_METHOD = 0x8c

/** Throws MqttError 0x8C for one that is not known here (M19). */
export function readMethod(name: string): Method {
  const method = METHODS.find((each) => each === name)
  if (method) return method
  const detail = `known methods: ${METHODS.join(', ')}`
  throw new MqttError(BAD_METHOD, Code.UNIMPLEMENTED, detail)
}

export interface Answers {
  /** For the session. */
  readonly packet: Buffer
  /** Of its frames. */
  readonly ids: ReadonlySet<number>
}

/**
 * What a client answers. Throws Refusal MALFORMED_PACKET or
 * TOO_MANY_FRAMES, and MqttError 0x82 for frames that are no answers.
 */
export function readAnswers(method: Method, data: Uint8Array): Answers {
  const packet =
    method === 'porthouse.v1.json' ? packetOfJson(Buffer.from(data).toString()) : Buffer.from(data)
  const frames = framesOf(packet)
  if (frames.length > ANSWERS_MAX) {
    throw new Refusal(Code.TOO_MANY_FRAMES, `over ${ANSWERS_MAX} answers`)
  }
  const isAnswer = ({ body }: Frame) =>
    body.case === 'lockStep' && body.value.step.case === 'answer'
  if (!frames.every(isAnswer)) throw protocolError('authentication data other than answers')
  return { packet, ids: new Set(frames.map(({ id }) => id)) }
}

/** What the gateway says to them. Throws Refusal where that is more than MQTT can carry. */
export function writeSteps(method: Method, frames: readonly Frame[]): Buffer {
  const packet = packetOf(frames)
  const data = method === 'porthouse.v1.json' ? Buffer.from(jsonOfPacket(packet)) : packet
  if (data.length <= DATA_BYTES_MAX) return data
  throw new Refusal(Code.PACKET_TOO_LARGE, `over ${DATA_BYTES_MAX} bytes of lock steps`)
}

export function isVerdict({ body }: Frame): boolean {
  return body.case === 'lockStep' && body.value.step.case === 'verdict'
}

/** Why an answer was not good; undefined: it was, or it is not known. */
export function failureOf({ body }: Frame): Code | undefined {
  if (body.case === 'drop') return body.value.code
  if (body.case !== 'lockStep' || body.value.step.case !== 'verdict') return undefined
  const { outcome, code } = body.value.step.value
  return outcome === Outcome.PASSED ? undefined : code
}
