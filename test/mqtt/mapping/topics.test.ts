/** Topics, topic filters and reserved topics: what is a room's, and what is refused how. */

import { create } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { FrameSchema } from '@porthouse/proto/v1/frame'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseTopicFilter } from '../../../gateway/ingress/mqtt/mapping/filter.ts'
import {
  formatReserved,
  kindOfFrame,
  parseReserved,
  RESERVED_KINDS,
} from '../../../gateway/ingress/mqtt/mapping/reserved.ts'
import { roomOfTopic, topicOf } from '../../../gateway/ingress/mqtt/mapping/topic.ts'
import { MqttError } from '../../../gateway/ingress/mqtt/wire/mqtt-error.ts'
import { formatAddress } from '../../../gateway/protocol/address.ts'
import { checkChannel, checkFilter, matchesChannel } from '../../../gateway/protocol/channel.ts'
import { Refusal } from '../../../gateway/protocol/codes.ts'

const UUID = '0192f7a0-5c3e-7d10-8c4b-aabbccddeeff'

/** Levels that meet often, and those that mean something to one grammar and not to the other. */
const LEVELS = ['a', 'b', '', '*', '**', '.', '..', '$x', '~s', UUID, 'ü', '__proto__']
const level = fc.constantFrom(...LEVELS)
const filterLevel = fc.oneof(
  { weight: 2, arbitrary: level },
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', '+') },
  { weight: 1, arbitrary: fc.constantFrom('#', 'a#', '+a', '*+') },
)

/** Whether a filter is well formed and matches a topic, as MQTT 5 has it in section 4.7. */
function mqttMatches(filter: string, topic: string): boolean {
  const names = topic.split('/')
  const wanted = filter.split('/')
  for (const [i, each] of wanted.entries()) {
    if (each === '#') return names.length >= i
    if (i >= names.length || (each !== '+' && each !== names[i])) return false
  }
  return names.length === wanted.length
}

/** All legal channels of up to three levels, and the room itself. */
const CHANNELS = ['', ...grow([''], 3)].filter((channel) => channel === '' || isChannel(channel))

function grow(stems: readonly string[], levels: number): string[] {
  if (levels === 0) return []
  const grown = stems.flatMap((stem, i) =>
    LEVELS.map((last) => (i === 0 && stem === '' ? last : `${stem}/${last}`)),
  )
  return [...grown, ...grow(grown, levels - 1)]
}

function isChannel(channel: string): boolean {
  try {
    checkChannel(channel)
    return true
  } catch {
    return false
  }
}

/** Why a filter is refused: its reason and its code. */
function refusalOf(filter: string): { reason: number; code: Code } {
  try {
    parseTopicFilter(filter)
  } catch (error) {
    if (error instanceof MqttError) return { reason: error.reason, code: error.code }
    throw error
  }
  throw new Error('not refused')
}

describe('a topic', () => {
  test('is the address without its kind, both ways', () => {
    fc.assert(
      fc.property(fc.constantFrom(...CHANNELS), (channel) => {
        const topic = topicOf('acme/boiler', channel)
        expect(formatAddress(roomOfTopic(topic))).toBe(`room:${topic}`)
      }),
    )
    expect(roomOfTopic('acme/boiler')).toEqual({ kind: 'room', account: 'acme', room: 'boiler' })
    expect(roomOfTopic(`acme/boiler/a/${UUID}`).channel).toBe(`a/${UUID}`)
  })

  test.each([
    ['', Code.ADDRESS_INVALID],
    ['acme', Code.ADDRESS_INVALID],
    ['/acme/boiler', Code.ADDRESS_INVALID],
    ['acme/boiler/', Code.ADDRESS_INVALID],
    ['acme/boiler//a', Code.ADDRESS_INVALID],
    ['acme/boiler/+', Code.ADDRESS_INVALID],
    ['acme/boiler/#', Code.ADDRESS_INVALID],
    ['acme/boiler/*', Code.ADDRESS_INVALID],
    ['acme/+/a', Code.ADDRESS_INVALID],
    ['acme/boiler/a\0b', Code.ADDRESS_INVALID],
    ['acme/boiler/a\ud800', Code.ADDRESS_INVALID],
    ['acme/boiler/e\u0301', Code.ADDRESS_INVALID],
    [`acme/boiler/${UUID}/a`, Code.ADDRESS_INVALID],
    ['$SYS/broker/version', Code.ADDRESS_INVALID],
    ['$porthouse/v1/lock', Code.ADDRESS_INVALID],
    ['client:acme/me', Code.ADDRESS_INVALID],
    ['__proto__/constructor', Code.ADDRESS_INVALID],
  ])('%j is refused with %i', (topic, code) => {
    expect(() => roomOfTopic(topic)).toThrow(Refusal)
    expect(() => roomOfTopic(topic)).toThrow(expect.objectContaining({ code }))
  })

  test.each([
    ['100 levels', `acme/boiler${'/a'.repeat(100)}`, Code.NESTING_TOO_DEEP],
    ['200 levels', `acme/boiler${'/a'.repeat(200)}`, Code.NAME_TOO_LONG],
    ['5,000 levels', `acme/boiler${'/a'.repeat(5000)}`, Code.NAME_TOO_LONG],
    ['65,535 bytes', `acme/boiler/${'a'.repeat(65_523)}`, Code.NAME_TOO_LONG],
    ['400 bytes in 200 characters', `acme/boiler/${'ü'.repeat(200)}`, Code.NAME_TOO_LONG],
  ])('of %s is refused', (_, topic, code) => {
    expect(() => roomOfTopic(topic)).toThrow(expect.objectContaining({ code }))
  })
})

describe('a topic filter', () => {
  const filters = fc
    .array(filterLevel, { minLength: 0, maxLength: 4 })
    .map((levels) => ['acme/boiler', ...levels].join('/'))

  test('hears the channels whose topics MQTT says it matches, and no others', () => {
    fc.assert(
      fc.property(filters, (filter) => {
        const parsed = parsedOrNot(filter)
        if (parsed?.kind !== 'room') return
        for (const channel of CHANNELS) {
          const isHeard = parsed.filters.some((each) => matchesChannel(each, channel))
          expect([filter, channel, isHeard]).toEqual([
            filter,
            channel,
            mqttMatches(filter, topicOf('acme/boiler', channel)),
          ])
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('hears each of them by one of its filters alone, and those are legal', () => {
    fc.assert(
      fc.property(filters, (filter) => {
        const parsed = parsedOrNot(filter)
        if (parsed?.kind !== 'room') return
        for (const channel of CHANNELS) {
          const heard = parsed.filters.filter((each) => matchesChannel(each, channel))
          expect(heard.length).toBeLessThan(2)
        }
        for (const each of parsed.filters) if (each !== '' && each !== '.') checkFilter(each)
      }),
      { numRuns: 300 },
    )
  })

  test('is refused only where it is malformed or no channel could match', () => {
    fc.assert(
      fc.property(filters, (filter) => {
        if (parsedOrNot(filter)) return
        expect(refusalOf(filter)).toEqual({ reason: 0x8f, code: Code.ADDRESS_INVALID })
        const isMalformed = /[^/][+#]|\+[^/]|#./.test(filter)
        const matched = CHANNELS.filter((each) => mqttMatches(filter, topicOf('acme/boiler', each)))
        if (!isMalformed) expect(matched).toEqual([])
      }),
      { numRuns: 1000 },
    )
  })

  test.each([
    ['acme/boiler', ['.']],
    ['acme/boiler/#', ['']],
    ['acme/boiler/+', ['*']],
    ['acme/boiler/a/+/b', ['a/*/b']],
    ['acme/boiler/a/#', ['a', 'a/**']],
    ['acme/boiler/a/+/#', ['a/**']],
    ['acme/boiler/+/#', ['**']],
    ['acme/boiler/constructor', ['constructor']],
  ])('%s is %j', (filter, expected) => {
    expect(parseTopicFilter(filter)).toMatchObject({ account: 'acme', room: 'boiler' })
    expect(parseTopicFilter(filter)).toMatchObject({ filters: expected })
    expect(parseTopicFilter(`$share/workers/${filter}`)).toMatchObject({
      kind: 'room',
      filters: expected,
      group: 'workers',
    })
  })

  test('takes rooms by their UUIDs, in lower case as addresses do', () => {
    expect(parseTopicFilter(`${UUID.toUpperCase()}/${UUID}/a`)).toEqual({
      kind: 'room',
      account: UUID,
      room: UUID,
      filters: ['a'],
    })
  })

  test.each(['#', '+', '+/#', '+/+', '+/boiler', 'acme/#', 'acme/+', 'acme/+/a'])(
    '%s is wider than one room',
    (filter) => {
      const expected = { reason: 0x87, code: Code.RECEIVE_NOT_PERMITTED }
      expect(refusalOf(filter)).toEqual(expected)
      expect(refusalOf(`$share/g/${filter}`)).toEqual(expected)
    },
  )

  test.each([
    '$SYS/#',
    '$SYS/broker/clients',
    '$',
    '$queue/acme/boiler',
    '$porthouse/v1/#',
    '$porthouse/v1/+',
    '$porthouse/v1/json/#',
    '$porthouse/#',
    '$porthouse/v1/constructor',
    '$porthouse/v2/lock',
    '$share',
    '$session/acme/boiler',
    '$share/g/$porthouse/v1/lock',
    '$share/g/$SYS/#',
    '$share/g/$share/h/acme/boiler',
  ])('%s is not there', (filter) => {
    expect(refusalOf(filter)).toEqual({ reason: 0x87, code: Code.RECEIVE_NOT_PERMITTED })
  })

  test.each([
    '',
    '/',
    'acme',
    'acme/',
    '/acme/boiler',
    'acme/boiler/',
    'acme/boiler//#',
    'acme/boiler/a//#',
    'acme/boiler/#/a',
    'acme/boiler/a#',
    'acme/boiler/a+/b',
    'acme/boiler/*',
    'acme/boiler/**',
    'acme/boiler/./#',
    'acme/boiler/$x',
    'acme/boiler/~x/#',
    `acme/boiler/${UUID}/#`,
    'acme/boiler/a\0',
    'Acme/boiler',
    'v1/ws',
    'acme/v1',
    '$share/',
    '$share/g',
    '$share/g/',
    '$share//acme/boiler',
    '$share/+/acme/boiler',
    '$share/g+/acme/boiler',
    '$share/#',
    '$share/g/acme',
    '$SYS/a#',
  ])('%j is malformed, or nothing could match it', (filter) => {
    expect(refusalOf(filter)).toEqual({ reason: 0x8f, code: Code.ADDRESS_INVALID })
  })

  test.each([
    ['100 levels', `acme/boiler${'/a'.repeat(100)}`, Code.NESTING_TOO_DEEP],
    ['100 wildcards', `acme/boiler${'/+'.repeat(100)}`, Code.NESTING_TOO_DEEP],
    ['200 levels', `acme/boiler${'/+'.repeat(200)}`, Code.NAME_TOO_LONG],
    ['30,000 levels', `acme/boiler${'/+'.repeat(30_000)}`, Code.NAME_TOO_LONG],
    ['65,535 bytes', `acme/boiler/${'a'.repeat(65_523)}`, Code.NAME_TOO_LONG],
    ['a channel of 256 bytes', `acme/boiler/${'ü'.repeat(128)}`, Code.NAME_TOO_LONG],
    ['a group of 64 characters', `$share/${'g'.repeat(64)}/acme/boiler`, Code.NAME_TOO_LONG],
    ['an account of 64', `${'a'.repeat(64)}/boiler/#`, Code.NAME_TOO_LONG],
  ])('of %s is refused', (_, filter, code) => {
    expect(refusalOf(filter)).toEqual({ reason: 0x8f, code })
  })
})

describe('a reserved topic', () => {
  const topics = RESERVED_KINDS.flatMap((kind) => [
    { kind, json: false },
    { kind, json: true },
  ])

  test.each(topics)('%j is read as it is written, and can be listened to', (topic) => {
    const name = formatReserved(topic)
    expect(name).toBe(`$porthouse/v1/${topic.json ? 'json/' : ''}${topic.kind}`)
    expect(parseReserved(name)).toEqual(topic)
    expect(parseTopicFilter(name)).toEqual({ kind: 'reserved', topic })
  })

  test.each(['$porthouse/v1/', '$porthouse/v1/json', '$porthouse/v1/lock/', 'acme/boiler', 'lock'])(
    '%s is none',
    (topic) => expect(parseReserved(topic)).toBeUndefined(),
  )

  test('is there for every frame of the gateway', () => {
    const kinds = FrameSchema.oneofs[0]?.fields.map(({ localName }) => {
      const frame = create(FrameSchema, { id: 1, body: { case: localName, value: {} } as never })
      return [localName, kindOfFrame(frame)]
    })
    expect(Object.fromEntries(kinds ?? [])).toEqual({
      hello: 'command',
      welcome: 'command',
      lockStep: 'lock',
      envelope: 'message',
      receipt: 'receipt',
      room: 'room',
      drop: 'command',
      command: 'command',
      event: 'event',
      resume: 'command',
    })
  })

  test('of a refusal is where the request came', () => {
    const drop = (id: number) =>
      create(FrameSchema, { id, body: { case: 'drop', value: { code: Code.UNIMPLEMENTED } } })
    expect(kindOfFrame(drop(7), 'room')).toBe('room')
    expect(kindOfFrame(drop(0), 'room')).toBe('command')
  })
})

function parsedOrNot(filter: string) {
  try {
    return parseTopicFilter(filter)
  } catch (error) {
    if (error instanceof MqttError) return undefined
    throw error
  }
}
