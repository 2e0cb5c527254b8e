/**
 * Codes as what each packet of MQTT may say (PH-17.22, MQTT 5 section 2.4): where the code's own
 * reason is none of the packet's, the nearest that is.
 */
import { codeNamed } from '../../codes.ts'

/** Reasons from 0x80 that a packet may have. PUBREC's are those of PUBACK. */
const ALLOWED = {
  connack: [
    0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99,
    0x9a, 0x9b, 0x9c, 0x9d, 0x9f,
  ],
  puback: [0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  suback: [0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2],
  disconnect: [
    0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97,
    0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
  ],
} as const

/** The nearest first; where there is none, "implementation specific error". */
const NEAREST: Record<number, readonly number[]> = {
  134: [0x87],
  136: [0x89],
  138: [0x87],
  139: [0x88],
  144: [0x8f],
  148: [0x90, 0x8f],
  149: [0x97],
  150: [0x9f, 0x97],
  152: [0x87],
}

const NEAREST_OF_CODE: Record<string, readonly number[]> = {
  INVALID_UTF8: [0x99],
  WRONG_DATA_TYPE: [0x99],
  NESTING_TOO_DEEP: [0x90, 0x8f],
}

export const SUCCESS = 0x00
export const NOBODY_HEARD_IT = 0x10
const UNWILLING = 0x83

/** By the code's name, with or without CODE_. */
export function reasonIn(packet: keyof typeof ALLOWED, code: string): number {
  const { name, mqttReason } = codeNamed(code)
  const allowed: readonly number[] = ALLOWED[packet]
  const choices = [mqttReason, ...(NEAREST_OF_CODE[name] ?? NEAREST[mqttReason] ?? [])]
  return choices.find((reason) => allowed.includes(reason)) ?? UNWILLING
}

/** What CONNACK of 3.1.1 says: a word of its own, "unavailable", or "not authorised". */
export function returnCodeOf(code: string): number {
  const own: Record<number, number> = { 132: 1, 133: 2, 134: 4, 136: 3 }
  return own[reasonIn('connack', code)] ?? (codeNamed(code).temporary ? 3 : 5)
}

/** What PUBACK or PUBREC says of a message with this receipt (PH-17.8), of MQTT 5. */
export function reasonOfReceipt({ status, code }: { status?: string; code?: string }): number {
  if (status === 'RECEIPT_STATUS_REJECTED') return reasonIn('puback', String(code))
  return status === 'RECEIPT_STATUS_VOID' ? NOBODY_HEARD_IT : SUCCESS
}
