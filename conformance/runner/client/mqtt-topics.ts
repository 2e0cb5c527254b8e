/** Topics of MQTT, and which frames cross on them (PH-17.2, PH-17.3, PH-17.11). */
import type { Frame } from '@porthouse/proto/v1/frame'

const RESERVED = '$porthouse/v1/'

/** What a client may listen to, and the frames that it may publish there. */
const PUBLISHES: Readonly<Record<string, readonly string[]>> = {
  lock: ['lockStep'],
  receipt: [],
  room: ['room'],
  event: [],
  command: ['hello', 'command'],
  message: ['envelope'],
}

export function reserved(kind: string): string {
  return `${RESERVED}${kind}`
}

/** Of a reserved topic that there is. */
export function kindOfTopic(topic: string): string | undefined {
  const kind = topic.startsWith(RESERVED) ? topic.slice(RESERVED.length) : ''
  return kind in PUBLISHES ? kind : undefined
}

export function mayPublish(kind: string, { body }: Frame): boolean {
  return PUBLISHES[kind]!.includes(body.case ?? '')
}

/** Where a frame goes that is no message of a room. */
export function topicOf({ body }: Frame): string {
  switch (body.case) {
    case 'lockStep':
      return reserved('lock')
    case 'receipt':
    case 'room':
    case 'event':
      return reserved(body.case)
    case 'envelope':
      return reserved('message')
    default:
      return reserved('command')
  }
}

/** The address that a filter enters as a Join would; undefined: it is of no room, or of several. */
export function addressOf(filter: string): string | undefined {
  const [account = '', room = '', ...channel] = filter.split('/')
  // A star is no wildcard of MQTT, and in no name of a channel (PH-11.4).
  if (!account || !room || /[+#$]/.test(account + room) || filter.includes('*')) return undefined
  const levels = channel.map((level) => (level === '+' ? '*' : level)).join('/')
  const address = `room:${account}/${room}`
  if (levels === '' || levels === '#') return address
  return `${address}/${levels.replace(/\*\/#$/, '**')}`
}
