/**
 * Codes as the reason codes of MQTT 5 (section 2.4) and the return codes of 3.1.1. Each packet may
 * have reasons of its own set alone; where a code's reason is not in it, the nearest one is.
 */
import { Code } from '@porthouse/proto/v1/code'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { CODES, codeInfo } from '../../../protocol/codes.ts'
import type { Outcome } from '../../../router/outcome.ts'

const SUCCESS = 0x00
/** Of PUBACK and PUBREC: it reached nobody and nothing keeps it (R29). */
const NO_MATCHING_SUBSCRIBERS = 0x10
/** "Implementation specific error": every packet may have it. */
const UNWILLING = 0x83

/**
 * Reasons from 0x80 that a packet may have (sections 3.2.2.2, 3.4.2.1, 3.9.3, 3.11.3, 3.14.2.1).
 * PUBREC's are those of PUBACK.
 */
const ALLOWED = {
  connack: [
    0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99,
    0x9a, 0x9b, 0x9c, 0x9d, 0x9f,
  ],
  puback: [0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  suback: [0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2],
  unsuback: [0x80, 0x83, 0x87, 0x8f, 0x91],
  disconnect: [
    0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97,
    0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
  ],
} as const

type Packet = keyof typeof ALLOWED

/** What stands for a reason that a packet may not have, the nearest first. */
const NEAREST: ReadonlyMap<number, readonly number[]> = new Map([
  // Bad user name or password, banned, administrative action: not authorised.
  [0x86, [0x87]],
  [0x8a, [0x87]],
  [0x98, [0x87]],
  // Unavailable, shutting down: server unavailable, server busy.
  [0x88, [0x89]],
  [0x8b, [0x88]],
  // Topic names and aliases: topic name, then topic filter invalid.
  [0x90, [0x8f]],
  [0x94, [0x90, 0x8f]],
  // Packet too large, message rate too high: connection rate exceeded, then quota exceeded.
  [0x95, [0x97]],
  [0x96, [0x9f, 0x97]],
])

/** Codes whose own reason, malformed packet, says less than another where it is not allowed. */
const NEAREST_OF_CODE: ReadonlyMap<Code, readonly number[]> = new Map([
  [Code.INVALID_UTF8, [0x99]],
  [Code.WRONG_DATA_TYPE, [0x99]],
  // Of a topic with too many levels.
  [Code.NESTING_TOO_DEEP, [0x90, 0x8f]],
])

function choose(packet: Packet, code: Code, reason: number): number {
  const allowed: readonly number[] = ALLOWED[packet]
  const candidates = [reason, ...(NEAREST_OF_CODE.get(code) ?? NEAREST.get(reason) ?? [])]
  return candidates.find((each) => allowed.includes(each)) ?? UNWILLING
}

/** For one packet, the reason of each code. Codes of a newer version are as good as INTERNAL. */
function reasonsOf(packet: Packet): (code: Code) => number {
  const table = new Map(
    CODES.map(({ code, mqttReason }) => [code, choose(packet, code, mqttReason)] as const),
  )
  return (code) => table.get(code) ?? (table.get(Code.INTERNAL) as number)
}

export const connackReason = reasonsOf('connack')
/** Of PUBREC as well. */
export const pubackReason = reasonsOf('puback')
export const subackReason = reasonsOf('suback')
export const unsubackReason = reasonsOf('unsuback')
export const disconnectReason = reasonsOf('disconnect')

/** Why a 3.1 or 3.1.1 CONNECT was refused (table 3.1 of 3.1.1). */
export type ReturnCode = 1 | 2 | 3 | 4 | 5

/** Reasons of CONNACK that have a word of their own in 3.1.1. */
const RETURN_CODES: ReadonlyMap<number, ReturnCode> = new Map([
  [0x84, 1],
  [0x85, 2],
  [0x88, 3],
  [0x86, 4],
])

/**
 * `reason`: where it is another than the code's, as of an MqttError. What may succeed later is
 * "server unavailable", any other refusal "not authorised".
 */
export function returnCodeOf(code: Code, reason = connackReason(code)): ReturnCode {
  return RETURN_CODES.get(reason) ?? (codeInfo(code).temporary ? 3 : 5)
}

/** What PUBACK, or PUBREC, says of a message whose outcome has settled. */
export function reasonOfOutcome({ status, code }: Outcome): number {
  if (status === ReceiptStatus.REJECTED) return pubackReason(code)
  return status === ReceiptStatus.VOID ? NO_MATCHING_SUBSCRIBERS : SUCCESS
}
