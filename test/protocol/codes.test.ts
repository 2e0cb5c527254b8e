import { Code, CodeSchema } from '@porthouse/proto/v1/code'
import { describe, expect, test } from 'vitest'
import { CODES, codeInfo, Refusal } from '../../gateway/protocol/codes.ts'

/** The names of the Connect protocol's codes. */
const CONNECT_CODES = new Set([
  'canceled',
  'unknown',
  'invalid_argument',
  'deadline_exceeded',
  'not_found',
  'already_exists',
  'permission_denied',
  'resource_exhausted',
  'failed_precondition',
  'aborted',
  'out_of_range',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss',
  'unauthenticated',
])

/** Close codes that tell a client to come back: these, and 4000 to 4499 (PH-9.3). */
const RECONNECT = new Set([1001, 1006, 1011, 1012, 1013])

describe('the table of codes', () => {
  test('has every code of the schema once', () => {
    const numbers = CodeSchema.values.map((value) => value.number).filter((number) => number !== 0)
    expect(CODES.map((info) => info.code)).toEqual(numbers)
    expect(new Set(CODES.map((info) => info.name)).size).toBe(numbers.length)
    expect(codeInfo(Code.ROOM_UNKNOWN).name).toBe('ROOM_UNKNOWN')
  })

  test.each(CODES.map((info) => [info.name, info] as const))(
    '%s has all its renderings',
    (_, info) => {
      expect(info.meaning).toMatch(/^[A-Z].{8,}[^.]$/)
      expect(CONNECT_CODES).toContain(info.connect)
      expect(info.httpStatus).toBeGreaterThanOrEqual(400)
      expect(info.httpStatus).toBeLessThan(600)
      expect(info.mqttReason).toBeGreaterThanOrEqual(0x80)
      expect(info.mqttReason).toBeLessThanOrEqual(0xa2)
    },
  )

  test.each(CODES.map((info) => [info.name, info] as const))(
    '%s closes with a code that says whether to come back',
    (_, info) => {
      const close = info.websocketClose
      const reconnects = RECONNECT.has(close) || (close >= 4000 && close <= 4499)
      expect(reconnects).toBe(info.temporary)
      // What an application gives a meaning of its own is 4000 plus, if final, 500 plus the code.
      if (close >= 4000) expect(close).toBe((info.temporary ? 4000 : 4500) + info.code)
    },
  )

  test('has close codes that name their code', () => {
    const closes = CODES.map((info) => info.websocketClose)
    expect(new Set(closes).size).toBe(closes.length)
  })

  test('takes a code of a newer peer for an internal error', () => {
    expect(codeInfo(4711 as Code)).toBe(codeInfo(Code.INTERNAL))
    expect(codeInfo(Code.UNSPECIFIED)).toBe(codeInfo(Code.INTERNAL))
  })

  test('cannot be changed', () => {
    expect(Object.isFrozen(CODES)).toBe(true)
    expect(CODES.every((info) => Object.isFrozen(info))).toBe(true)
  })
})

test('a refusal carries its code and says it', () => {
  const refusal = new Refusal(Code.ADDRESS_INVALID, 'the account is empty')
  expect(refusal).toBeInstanceOf(Error)
  expect(refusal).toMatchObject({ code: Code.ADDRESS_INVALID, detail: 'the account is empty' })
  expect(refusal.message).toBe('ADDRESS_INVALID: the account is empty')
})
