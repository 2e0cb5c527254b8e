/**
 * Formats of JSON Schema (Validation, 7.3), which are checked here and not only noted. Each
 * expression goes over a text a few times at most, whatever it is.
 */
import { isIPv4, isIPv6 } from 'node:net'

type Format = (text: string) => boolean

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/
const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:z|([+-])(\d\d):(\d\d))$/i
const DURATION_DATE = /^(?:\d+Y)?(?:\d+M)?(?:\d+D)?$/
const DURATION_TIME = /^(?:\d+H)?(?:\d+M)?(?:\d+S)?$/
const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i
const LOCAL_PART = /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]+$/i
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const URI_CHARACTER = "(?:[\\w.~!$&'()*+,;=-]|%[0-9a-f]{2})"
const URI_HOST = `(?:\\[[0-9a-f:.]+\\]|${URI_CHARACTER}*)(?::\\d*)?(?=[/?#]|$)`
const URI = new RegExp(
  `^[a-z][a-z0-9+.-]*:(?://(?:(?:${URI_CHARACTER}|:)*@)?${URI_HOST}|(?!//))` +
    `(?:${URI_CHARACTER}|[:@/?#])*$`,
  'i',
)
const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/

export const FORMATS: ReadonlyMap<string, Format> = new Map([
  ['date', isDate],
  ['date-time', isDateTime],
  ['duration', isDuration],
  ['email', isEmail],
  ['hostname', isHostname],
  ['ipv4', isIPv4],
  ['ipv6', (text) => isIPv6(text) && !text.includes('%')],
  ['json-pointer', (text) => POINTER.test(text)],
  ['time', isTime],
  ['uri', (text) => URI.test(text) && text.split('#').length <= 2],
  ['uuid', (text) => UUID.test(text)],
])

function isDate(text: string): boolean {
  const [, year, month, day] = (DATE.exec(text) ?? []).map(Number)
  if (year === undefined || month === undefined || day === undefined) return false
  return month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month)
}

function daysOf(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

/** RFC 3339; a leap second is one at the end of a day of UTC. */
function isTime(text: string): boolean {
  const match = TIME.exec(text)
  if (!match) return false
  const [hour = 0, minute = 0, second = 0] = match.slice(1, 4).map(Number)
  const [aheadHours = 0, aheadMinutes = 0] = match.slice(5, 7).map((part) => Number(part ?? 0))
  if (hour > 23 || minute > 59 || second > 60 || aheadHours > 23 || aheadMinutes > 59) return false
  const ahead = (aheadHours * 60 + aheadMinutes) * (match[4] === '-' ? -1 : 1)
  return second < 60 || (hour * 60 + minute - ahead + 2880) % 1440 === 1439
}

function isDateTime(text: string): boolean {
  return isDate(text.slice(0, 10)) && /^t$/i.test(text.charAt(10)) && isTime(text.slice(11))
}

/** RFC 3339, appendix A: units go down without a gap. */
function isDuration(text: string): boolean {
  if (/^P\d+W$/.test(text)) return true
  if (!text.startsWith('P') || text.endsWith('T')) return false
  const [date = '', time = '', ...more] = text.slice(1).split('T')
  if (more.length > 0 || date + time === '' || /Y\d+D|H\d+S/.test(text)) return false
  return DURATION_DATE.test(date) && DURATION_TIME.test(time)
}

function isHostname(text: string): boolean {
  if (text.length > 253) return false
  return text.split('.').every((label) => label.length <= 63 && LABEL.test(label))
}

/** The everyday form of RFC 5321: no quotes, no comments, no bare addresses of the network. */
function isEmail(text: string): boolean {
  const [local = '', host = '', ...more] = text.split('@')
  if (more.length > 0 || local.length > 64 || !LOCAL_PART.test(local)) return false
  return !/^\.|\.$|\.\./.test(local) && isHostname(host)
}
