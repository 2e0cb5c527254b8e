/**
 * Topic filters: what a SUBSCRIBE may ask for is one room or channels of it, or a reserved topic.
 * Wildcards over accounts or rooms are refused rather than narrowed to what one may hear (A2, A4).
 */
import { Code } from '@porthouse/proto/v1/code'
import { checkFilter, ROOM_ALONE } from '../../../protocol/channel.ts'
import { Refusal } from '../../../protocol/codes.ts'
import { NAME_BYTES_MAX } from '../../../protocol/limits.ts'
import { invalid, parseName, SLUG_CHARS_MAX } from '../../../protocol/name.ts'
import { MqttError } from '../wire/mqtt-error.ts'
import { parseReserved, type ReservedTopic } from './reserved.ts'

export type TopicFilter =
  | {
      readonly kind: 'room'
      readonly account: string
      readonly room: string
      /**
       * As matchesChannel reads them, one or two that never match the same channel. ROOM_ALONE is
       * the room itself, `` the room and all its channels; any other one is as checkFilter wants.
       */
      readonly filters: readonly string[]
      /** Of a shared subscription: each message goes to one of those who share it. */
      readonly group?: string
    }
  | { readonly kind: 'reserved'; readonly topic: ReservedTopic }

const SHARE = '$share/'
/** Reasons of SUBACK: "topic filter invalid", "not authorized". */
const FILTER_INVALID = 0x8f
const NOT_AUTHORIZED = 0x87

/**
 * Throws MqttError: 0x8F for what is no filter and for what no channel can match (empty levels, a
 * `*`, over a length or depth: M11, M12), 0x87 for what is wider than one room and for other `$`.
 */
export function parseTopicFilter(filter: string): TopicFilter {
  // A UTF-16 unit is at least one byte, and no filter of legal parts is longer.
  if (filter.length > NAME_BYTES_MAX) {
    const detail = `the filter is over ${NAME_BYTES_MAX} bytes`
    throw new MqttError(FILTER_INVALID, Code.NAME_TOO_LONG, detail)
  }
  const levels = filter.split('/')
  try {
    checkWildcards(levels)
    if (filter.startsWith(SHARE)) return parseShared(levels)
    if (!filter.startsWith('$')) return parseRoomFilter(levels)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new MqttError(FILTER_INVALID, error.code, error.detail)
  }
  const topic = parseReserved(filter)
  if (!topic) throw notThere('of what starts with $ only the reserved topics can be listened to')
  return { kind: 'reserved', topic }
}

/** Where `+` and `#` may stand [MQTT-4.7.1-1] [MQTT-4.7.1-2]. */
function checkWildcards(levels: readonly string[]): void {
  for (const [i, level] of levels.entries()) {
    if (level.includes('+') && level !== '+') throw invalid('a + is not a level of its own')
    if (!level.includes('#')) continue
    if (level !== '#') throw invalid('a # is not a level of its own')
    if (i < levels.length - 1) throw invalid('a # is before the last level')
  }
}

/** `$share/{group}/{filter}` [MQTT-4.8.2-1] [MQTT-4.8.2-2]. */
function parseShared([, group, ...levels]: readonly string[]): TopicFilter {
  if (!group || group === '+' || group === '#' || levels.length === 0) {
    throw invalid('not of the shape $share/{group}/{filter}')
  }
  if (group.length > SLUG_CHARS_MAX) {
    throw new Refusal(Code.NAME_TOO_LONG, `the group is over ${SLUG_CHARS_MAX} characters`)
  }
  if (levels[0]?.startsWith('$')) throw notThere('only rooms can be listened to in a group')
  return { ...parseRoomFilter(levels), group }
}

function parseRoomFilter([account, room, ...channel]: readonly string[]) {
  if ([account, room].some((name) => name === '+' || name === '#')) {
    throw notThere('a filter is of one room, with wildcards for its channels alone')
  }
  if (account === undefined || room === undefined) {
    throw invalid('not of the shape {account}/{room}')
  }
  return {
    kind: 'room' as const,
    account: parseName(account, 'account'),
    room: parseName(room, 'room'),
    filters: filtersOf(channel),
  }
}

/** The levels below the room as filters over its channels. */
function filtersOf(levels: readonly string[]): readonly string[] {
  if (levels.length === 0) return [ROOM_ALONE]
  if (levels[0] === '#') return ['']
  // A plain level to MQTT, and a wildcard to the filters that this is turned into.
  if (levels.some((level) => level.includes('*'))) throw invalid('a channel holds *')
  const filters = translated(levels.map((level) => (level === '+' ? '*' : level)))
  for (const filter of filters) checkFilter(filter)
  return filters
}

/** A `#` is what stands before it and all below [MQTT 4.7.1.2]. */
function translated(levels: readonly string[]): string[] {
  if (levels.at(-1) !== '#') return [levels.join('/')]
  const above = levels.slice(0, -1)
  if (above.at(-1) === '*') return [[...above.slice(0, -1), '**'].join('/')]
  return [above.join('/'), [...above, '**'].join('/')]
}

function notThere(detail: string): MqttError {
  return new MqttError(NOT_AUTHORIZED, Code.RECEIVE_NOT_PERMITTED, detail)
}
