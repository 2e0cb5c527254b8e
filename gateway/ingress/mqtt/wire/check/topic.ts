/** Topic names by the grammar of MQTT alone (MQTT 5 section 4.7); filters: mapping/filter.ts. */
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
