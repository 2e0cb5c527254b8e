/** Every code on every packet of MQTT that can tell it, and qualities of service. */
import { Code, CodeSchema } from '@porthouse/proto/v1/code'
import { Quality, QualitySchema } from '@porthouse/proto/v1/envelope'
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import { describe, expect, test } from 'vitest'
import {
  outgoingQos,
  qualityOf,
  receiptLevelOf,
} from '../../../gateway/ingress/mqtt/mapping/quality.ts'
import {
  connackReason,
  disconnectReason,
  pubackReason,
  reasonOfOutcome,
  returnCodeOf,
  subackReason,
  unsubackReason,
} from '../../../gateway/ingress/mqtt/mapping/reasons.ts'
import { codeInfo } from '../../../gateway/protocol/codes.ts'
import { Outcome } from '../../../gateway/router/outcome.ts'

/** Copied from the tables of MQTT 5, not from the gateway's. */
const SPECIFIED = {
  connack: '80 81 82 83 84 85 86 87 88 89 8A 8C 90 95 97 99 9A 9B 9C 9D 9F',
  puback: '80 83 87 90 91 97 99',
  suback: '80 83 87 8F 91 97 9E A1 A2',
  unsuback: '80 83 87 8F 91',
  disconnect: '80 81 82 83 87 89 8B 8D 8E 8F 90 93 94 95 96 97 98 99 9A 9B 9C 9D 9E 9F A0 A1 A2',
}

const reasons = {
  connack: connackReason,
  puback: pubackReason,
  suback: subackReason,
  unsuback: unsubackReason,
  disconnect: disconnectReason,
}

const packets = Object.keys(reasons) as (keyof typeof reasons)[]
const codes = CodeSchema.values.map(({ number }) => number as Code)
const UNKNOWN = 4000 as Code

describe.each(packets)('%s', (packet) => {
  const allowed = SPECIFIED[packet].split(' ').map((each) => Number.parseInt(each, 16))

  test('tells every code by a reason that it may have, the code’s own where it may', () => {
    for (const code of [...codes, UNKNOWN]) {
      const reason = reasons[packet](code)
      const own = codeInfo(code).mqttReason
      expect([code, allowed.includes(reason)]).toEqual([code, true])
      const mayTell = allowed.includes(own)
      if (mayTell) expect([code, reason]).toEqual([code, own])
    }
  })
})

describe('a code whose reason a packet may not have is told by the nearest', () => {
  test.each([
    ['puback', Code.INVALID_UTF8, 0x99],
    ['puback', Code.CONTENT_INVALID, 0x99],
    ['puback', Code.NESTING_TOO_DEEP, 0x90],
    ['puback', Code.ADDRESS_INVALID, 0x90],
    ['puback', Code.ROUTE_UNKNOWN, 0x90],
    ['puback', Code.PAYLOAD_TOO_LARGE, 0x97],
    ['puback', Code.HEADERS_TOO_LARGE, 0x97],
    ['puback', Code.RATE_LIMITED, 0x97],
    ['puback', Code.STORE_FULL, 0x97],
    ['puback', Code.UNAUTHENTICATED, 0x87],
    ['puback', Code.SEND_NOT_PERMITTED, 0x87],
    ['puback', Code.RESERVED_FIELD, 0x83],
    ['puback', Code.UNAVAILABLE, 0x83],
    ['puback', Code.DRAINING, 0x83],
    ['puback', Code.UNCERTAIN, 0x80],
    ['suback', Code.ADDRESS_INVALID, 0x8f],
    ['suback', Code.NESTING_TOO_DEEP, 0x8f],
    ['suback', Code.ROOM_UNKNOWN, 0x8f],
    ['suback', Code.RECEIVE_NOT_PERMITTED, 0x87],
    ['suback', Code.ROOM_LIMIT, 0x97],
    ['unsuback', Code.ADDRESS_INVALID, 0x8f],
    ['unsuback', Code.ROOM_LIMIT, 0x83],
    ['connack', Code.OFFENDER, 0x8a],
    ['connack', Code.DRAINING, 0x88],
    ['connack', Code.RATE_LIMITED, 0x9f],
    ['connack', Code.KICKED, 0x87],
    ['disconnect', Code.UNAUTHENTICATED, 0x87],
    ['disconnect', Code.UNAVAILABLE, 0x89],
    ['disconnect', Code.DRAINING, 0x8b],
    ['disconnect', Code.REPLACED, 0x8e],
    ['disconnect', Code.KICKED, 0x98],
    ['disconnect', Code.HEARTBEAT_TIMEOUT, 0x8d],
  ] as const)('%s of code %i: %i', (packet, code, reason) => {
    expect(reasons[packet](code)).toBe(reason)
  })
})

describe('a return code of 3.1.1', () => {
  test('is there for every code', () => {
    for (const code of [...codes, UNKNOWN]) expect([1, 2, 3, 4, 5]).toContain(returnCodeOf(code))
  })

  test.each([
    [Code.SUBPROTOCOL_UNSUPPORTED, 1],
    [Code.UNAVAILABLE, 3],
    [Code.DRAINING, 3],
    [Code.RATE_LIMITED, 3],
    [Code.CONNECTION_LIMIT, 3],
    [Code.INTERNAL, 3],
    [Code.UNAUTHENTICATED, 4],
    [Code.TOKEN_EXPIRED, 5],
    [Code.ENTRY_NOT_PERMITTED, 5],
    [Code.OFFENDER, 5],
    [Code.LIMBO_LIMIT, 5],
  ])('of code %i is %i', (code, expected) => expect(returnCodeOf(code)).toBe(expected))

  test('follows the reason where that says more than the code', () => {
    expect(returnCodeOf(Code.ADDRESS_INVALID, 0x85)).toBe(2)
    expect(returnCodeOf(Code.FRAME_NOT_ALLOWED, 0x84)).toBe(1)
  })
})

describe('an acknowledgement', () => {
  const outcome = (level: number) => new Outcome({ bytes: Buffer.alloc(16), at: 0 }, level)
  const facts = (sockets: number, stored: boolean, kept = false) => ({
    id: { bytes: Buffer.alloc(16), at: 0 },
    sockets,
    sequence: 1,
    epoch: 1,
    stored,
    kept,
  })

  test('says success, or that nobody hears', () => {
    const heard = outcome(ReceiptLevel.ROUTED)
    heard.sent(facts(1, false))
    expect(reasonOfOutcome(heard)).toBe(0x00)
    const unheard = outcome(ReceiptLevel.ROUTED)
    unheard.sent(facts(0, false))
    expect(reasonOfOutcome(unheard)).toBe(0x10)
    const kept = outcome(ReceiptLevel.ROUTED)
    kept.sent(facts(0, false, true))
    expect(reasonOfOutcome(kept)).toBe(0x00)
    const stored = outcome(ReceiptLevel.STORED)
    stored.sent(facts(0, true))
    expect(reasonOfOutcome(stored)).toBe(0x00)
    const again = outcome(ReceiptLevel.ROUTED)
    again.duplicate(facts(0, false))
    expect(reasonOfOutcome(again)).toBe(0x00)
  })

  test('says why it was refused', () => {
    const refused = outcome(ReceiptLevel.ROUTED)
    const code = Code.SEND_NOT_PERMITTED
    refused.refuse({ kind: 'refused', name: '', code, detail: '', decidedBy: '' })
    expect(reasonOfOutcome(refused)).toBe(0x87)
  })
})

describe('a quality of service', () => {
  const all = [0, 1, 2] as const

  test('is published as a quality of its own', () => {
    const qualities = all.map(qualityOf)
    expect(qualities).toEqual([Quality.AT_MOST_ONCE, Quality.AT_LEAST_ONCE, Quality.EXACTLY_ONCE])
    expect(QualitySchema.values).toHaveLength(1 + qualities.length)
  })

  test('is never raised, and lowered to what was granted [MQTT-3.8.4-8]', () => {
    for (const published of all) {
      for (const granted of all) {
        expect(outgoingQos(qualityOf(published), granted)).toBe(Math.min(published, granted))
      }
    }
  })

  test.each([Quality.UNSPECIFIED, 4, 0xffffffff])('of quality %i is as granted', (quality) => {
    for (const granted of all) expect(outgoingQos(quality, granted)).toBe(granted)
  })

  test('asks for the receipt that the acknowledgement stands for', () => {
    expect(all.map(receiptLevelOf)).toEqual([
      ReceiptLevel.UNSPECIFIED,
      ReceiptLevel.ROUTED,
      ReceiptLevel.ROUTED,
    ])
  })
})
