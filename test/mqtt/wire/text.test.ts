/** What strings may hold, and payloads that say they are one. */
import { describe, expect, test } from 'vitest'
import { checkFormat } from '../../../gateway/ingress/mqtt/wire/check/format.ts'
import { packet, properties, readAll, text, VERSIONS } from './bytes.ts'

describe.each(VERSIONS)('version %i', (version) => {
  test.each([
    ['control characters', 'a\u0001\u001f\u007f\u009f'],
    ['noncharacters', '\uffff\ufdd0\u{1ffff}'],
    ['a byte order mark, which stays [MQTT-1.5.4-3]', '\ufeffa'],
    ['all lengths of UTF-8', '$\u00a2\u20ac\u{10348}'],
    ['what is not normalised', 'e\u0301'],
    ['ASCII alone', 'acme/boiler/temperature'],
  ])('a topic may hold %s', (_, topic) => {
    const [read] = readAll(version, packet(0x30, text(topic), version === 5 ? '00' : ''))
    expect(read).toMatchObject({ cmd: 'publish', topic })
  })
})

describe('a payload that says it is UTF-8', () => {
  const publish = (format: string, payload: string) => {
    const [read] = readAll(5, packet(0x30, text('a'), properties(format), payload))
    if (read?.cmd !== 'publish') throw new Error('not read')
    return read
  }

  test('and is not, is refused alone: the packet itself is read', () => {
    const check = () => checkFormat(publish('01 01', 'c328'))
    expect(check).toThrow(expect.objectContaining({ name: 'MqttError', reason: 0x99 }))
  })

  test.each([
    ['is', '01 01', '61c3a9'],
    ['is, and holds U+0000', '01 01', '6100'],
    ['is empty', '01 01', ''],
    ['does not say so', '01 00', 'c328'],
    ['says nothing', '', 'c328'],
  ])('and %s, passes', (_, format, payload) => {
    expect(() => checkFormat(publish(format, payload))).not.toThrow()
  })
})
