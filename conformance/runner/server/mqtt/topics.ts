/** Addresses of rooms as topics and topic filters (PH-17.2, PH-17.3), and the reserved topics. */

const ROOM = 'room:'
const RESERVED = '$porthouse/v1/'

export const KINDS = ['lock', 'receipt', 'room', 'event', 'command', 'message'] as const
export type Kind = (typeof KINDS)[number]

export function reservedTopic(kind: Kind): string {
  return `${RESERVED}${kind}`
}

/** The kind of a reserved topic with Packets in Protobuf; undefined: another topic. */
export function kindOfTopic(topic: string): Kind | undefined {
  return KINDS.find((kind) => topic === reservedTopic(kind))
}

/** `room:acme/boiler/a` is acme/boiler/a; undefined: no address of a room or channel. */
export function topicOf(address: string): string | undefined {
  return address.startsWith(ROOM) ? address.slice(ROOM.length) : undefined
}

/** What hears the same as a Join of this address of a room. */
export function filterOf(address: string): string | undefined {
  const levels = topicOf(address)?.split('/')
  if (!levels) return undefined
  if (levels.length <= 2) return [...levels, '#'].join('/')
  // `**` stands for one level or more, `#` for none as well.
  const replaced = levels.flatMap((level) => {
    if (level === '*') return ['+']
    return level === '**' ? ['+', '#'] : [level]
  })
  return replaced.join('/')
}

/** `acme/boiler` of acme/boiler/a/b */
export function roomOfTopic(topic: string): string {
  return topic.split('/', 2).join('/')
}

/** Empty for the room itself. */
export function channelOfTopic(topic: string): string {
  return topic.split('/').slice(2).join('/')
}

/** MQTT 5, section 4.7. A shared subscription's filter is what stands behind its group. */
export function filterMatches(filter: string, topic: string): boolean {
  const [, shared] = /^\$share\/[^/]+\/(.*)$/.exec(filter) ?? []
  const wanted = (shared ?? filter).split('/')
  const levels = topic.split('/')
  for (const [i, level] of wanted.entries()) {
    if (level === '#') return true
    if (i >= levels.length || (level !== '+' && level !== levels[i])) return false
  }
  return wanted.length === levels.length
}
