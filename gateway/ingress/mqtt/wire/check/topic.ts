/** Topic names and filters by the grammar of MQTT alone (MQTT 5 section 4.7), of any length. */
import { malformed } from '../mqtt-error.ts'

const SHARE = '$share/'

export function hasWildcard(topic: string): boolean {
  return topic.includes('#') || topic.includes('+')
}

/** Of a PUBLISH or a will: not empty, no wildcards [MQTT-3.3.2-2] [MQTT-4.7.3-1] (M10). */
export function checkTopic(topic: string): void {
  if (topic === '') throw malformed('an empty topic')
  if (hasWildcard(topic)) throw malformed('a wildcard in a topic name')
}

/** Whether it is of a shared subscription, right or wrong. */
export function isShared(filter: string): boolean {
  return filter.startsWith(SHARE)
}

/**
 * What is wrong with a filter, for which that one is refused (0x8F, 3.1.1: 0x80) and nothing else
 * (M11): where wildcards stand [MQTT-4.7.1-1] [MQTT-4.7.1-2] and the form of a shared subscription
 * [MQTT-4.8.2-1] [MQTT-4.8.2-2].
 */
export function filterError(filter: string): string | undefined {
  if (!isShared(filter)) return wildcardError(filter)
  const end = filter.indexOf('/', SHARE.length)
  const group = filter.slice(SHARE.length, end)
  if (end === -1 || end === filter.length - 1) return 'a shared subscription without a filter'
  if (group === '') return 'a shared subscription without a group'
  if (hasWildcard(group)) return 'a wildcard in the group of a shared subscription'
  return wildcardError(filter.slice(end + 1))
}

function wildcardError(filter: string): string | undefined {
  if (filter === '') return 'an empty filter'
  const levels = filter.split('/')
  if (levels.some((level) => level.length > 1 && hasWildcard(level))) {
    return 'a wildcard that is not a level of its own'
  }
  const all = levels.indexOf('#')
  return all !== -1 && all < levels.length - 1 ? 'a # before the last level' : undefined
}
