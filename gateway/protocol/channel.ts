/** Channels: the named subsets of a room's messages, and the filters that pick among them. */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from './codes.ts'
import { CHANNEL_BYTES_MAX, CHANNEL_LEVELS_MAX } from './limits.ts'
import { invalid, isUuid } from './name.ts'

/**
 * The filter of who hears the room itself and none of its channels, as an MQTT filter without
 * wildcards does. No channel is named so.
 */
export const ROOM_ALONE = '.'

/** What a filter without `*` hears: `` for the room itself. The filter `` is none of these. */
export function channelOf(filter: string): string {
  return filter === ROOM_ALONE ? '' : filter
}

/**
 * Refuses what is no channel: the same text must be a URL path, an MQTT topic and a line on a
 * terminal. Throws NAME_TOO_LONG, NESTING_TOO_DEEP or ADDRESS_INVALID.
 */
export function checkChannel(channel: string): void {
  checkText(channel)
  checkLevels(channel.split('/'), channel)
  if (channel.includes('*')) throw invalid('a channel holds *, which is for filters')
}

/** Refuses what is no filter: a channel where `*` stands for a level, or `**` for the last ones. */
export function checkFilter(filter: string): void {
  checkText(filter)
  const levels = filter.split('/')
  checkLevels(levels, filter)
  for (const [i, level] of levels.entries()) {
    if (level === '*' || !level.includes('*')) continue
    if (level !== '**') throw invalid('a filter holds a * that is not a level of its own')
    if (i < levels.length - 1) throw invalid('a filter holds ** before its last level')
  }
}

/**
 * Whether a listener with this filter hears what is sent to this channel. `` as a filter is the
 * room and all its channels, as a channel the room itself. Both have passed their checks before.
 */
export function matchesChannel(filter: string, channel: string): boolean {
  if (filter === '' || filter === channel) return true
  if (channel === '') return filter === ROOM_ALONE
  if (!filter.includes('*')) return false
  const wanted = filter.split('/')
  let levels = channel.split('/')
  if (wanted.at(-1) === '**') {
    wanted.pop()
    if (levels.length <= wanted.length) return false
    levels = levels.slice(0, wanted.length)
  }
  return (
    levels.length === wanted.length &&
    wanted.every((level, i) => level === '*' || level === levels[i])
  )
}

/** The same of several filters. */
export function matchesAny(filters: readonly string[], channel: string): boolean {
  return filters.some((filter) => matchesChannel(filter, channel))
}

/** Whether one of these filters hears all that this one hears. */
export function coveredBy(wide: readonly string[], narrow: string): boolean {
  return wide.some((each) => coversFilter(each, narrow))
}

/** Whether a filter hears all that another one hears; `` is the room and all its channels. */
export function coversFilter(wide: string, narrow: string): boolean {
  if (wide === '' || wide === narrow) return true
  if (narrow === '' || narrow === ROOM_ALONE) return false
  const open = wide.split('/')
  const asked = narrow.split('/')
  const rest = open.at(-1) === '**'
  if (rest) open.pop()
  else if (asked.at(-1) === '**') return false
  if (rest ? asked.length <= open.length : asked.length !== open.length) return false
  return open.every((level, i) => {
    const other = asked[i] as string
    return level === other || (level === '*' && other !== '**')
  })
}

function checkLevels(levels: readonly string[], channel: string): void {
  if (levels.length > CHANNEL_LEVELS_MAX) {
    throw new Refusal(Code.NESTING_TOO_DEEP, `a channel has over ${CHANNEL_LEVELS_MAX} levels`)
  }
  if (channel === '') throw invalid('a channel is empty')
  if (channel.startsWith('$')) throw invalid('a channel starts with $')
  // In a URL path a UUID in this place is a client (R5) and ~ starts a secret, and the text is to
  // be the same everywhere.
  if (channel.startsWith('~')) throw invalid('a channel starts with ~')
  if (isUuid(levels[0] as string)) throw invalid("a channel's first level is a UUID")
  for (const level of levels) {
    if (level === '') throw invalid('a channel has an empty level')
    if (level === '.' || level === '..') throw invalid('a channel has a level . or ..')
  }
}

function checkText(channel: string): void {
  // A UTF-16 unit is at least one byte, so this bounds the work of all that follows.
  if (channel.length > CHANNEL_BYTES_MAX) throw tooLong()
  let ascii = true
  for (let i = 0; i < channel.length; i++) {
    const unit = channel.charCodeAt(i)
    if (unit > 0x7e) ascii = false
    else if (unit < 0x20) throw invalid('a channel holds a control character')
    else if (unit === 0x23 || unit === 0x2b) {
      throw invalid('a channel holds # or +, which MQTT keeps for filters')
    }
  }
  if (!ascii) checkUnicode(channel)
}

const CONTROL = /\p{Cc}/u
const BIDI_CONTROL = /\p{Bidi_Control}/u

function checkUnicode(channel: string): void {
  if (!channel.isWellFormed()) throw invalid('a channel holds half a surrogate pair')
  if (CONTROL.test(channel)) throw invalid('a channel holds a control character')
  if (BIDI_CONTROL.test(channel)) throw invalid('a channel holds a bidi control character')
  if (channel.normalize('NFC') !== channel) throw invalid('a channel is not in Unicode form NFC')
  if (Buffer.byteLength(channel) > CHANNEL_BYTES_MAX) throw tooLong()
}

function tooLong(): Refusal {
  return new Refusal(Code.NAME_TOO_LONG, `a channel is over ${CHANNEL_BYTES_MAX} bytes`)
}
