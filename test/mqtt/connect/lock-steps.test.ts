/** What goes as authentication data, and what is refused as such (M19). */
import { create, toBinary, toJsonString } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Method,
  readAnswers,
  readMethod,
  writeSteps,
} from '../../../gateway/ingress/mqtt/connect/lock-steps.ts'
import { MqttError } from '../../../gateway/ingress/mqtt/wire/mqtt-error.ts'
import { Refusal } from '../../../gateway/protocol/codes.ts'
import { answer, hello } from '../../support/client-frames.ts'
import { verdict } from '../../support/peer.ts'

const BINARY: Method = 'porthouse.v1'
const JSON_METHOD: Method = 'porthouse.v1.json'

function packet(frames: Parameters<typeof create<typeof PacketSchema>>[1]) {
  return create(PacketSchema, frames)
}

describe('a method', () => {
  test('is one of two', () => {
    expect(readMethod('porthouse.v1')).toBe('porthouse.v1')
    expect(readMethod('porthouse.v1.json')).toBe('porthouse.v1.json')
  })

  test.each(['', 'PLAIN', 'SCRAM-SHA-256', 'porthouse', 'constructor', '__proto__'])(
    'and never %j: 0x8C',
    (name) => {
      expect(() => readMethod(name)).toThrow(expect.objectContaining({ reason: 0x8c }))
    },
  )
})

describe('answers', () => {
  const answers = packet({ frames: [answer(1, 'secret')] })

  test('are the same packet in either method', () => {
    const bytes = Buffer.from(toBinary(PacketSchema, answers))
    expect(readAnswers(BINARY, bytes)).toEqual({ packet: bytes, ids: new Set([1]) })
    expect(
      readAnswers(JSON_METHOD, Buffer.from(toJsonString(PacketSchema, answers))).packet,
    ).toEqual(bytes)
    expect(readAnswers(BINARY, Buffer.alloc(0)).packet).toHaveLength(0)
    expect(readAnswers(JSON_METHOD, Buffer.alloc(0)).packet).toHaveLength(0)
  })

  test('are nothing else: 0x82', () => {
    for (const frame of [hello(1), verdict(1, 1), { id: 3 }]) {
      const bytes = toBinary(PacketSchema, packet({ frames: [answer(1, 'secret'), frame] }))
      expect(() => readAnswers(BINARY, bytes)).toThrow(expect.objectContaining({ reason: 0x82 }))
    }
  })

  test('are not too many', () => {
    const frames = Array.from({ length: 33 }, (_, i) => answer(i + 1, 'secret'))
    expect(() => readAnswers(BINARY, toBinary(PacketSchema, packet({ frames })))).toThrow(
      expect.objectContaining({ code: Code.TOO_MANY_FRAMES }),
    )
  })

  test('of any bytes are read or refused', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.constantFrom(BINARY, JSON_METHOD),
        (bytes, method) => {
          try {
            readAnswers(method, bytes)
          } catch (error) {
            expect(error instanceof Refusal || error instanceof MqttError).toBe(true)
          }
        },
      ),
    )
  })
})

test('lock steps that are more than MQTT can carry in one field are refused', () => {
  const long = verdict(1, 1)
  const frames = packet({ frames: Array.from({ length: 10_000 }, () => long) }).frames
  expect(() => writeSteps(BINARY, frames)).toThrow(Refusal)
  expect(writeSteps(JSON_METHOD, frames.slice(0, 1)).toString()).toContain('OUTCOME_PASSED')
})
