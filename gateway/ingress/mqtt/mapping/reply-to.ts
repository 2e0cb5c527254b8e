/**
 * Response topics and Envelope.reply_to: a room's topic is its address; any other topic passes
 * unaltered [MQTT-3.3.2-15] as `topic:{topic}`, which no address starts with.
 */
import { parseAddress } from '../../../protocol/address.ts'
import { Refusal } from '../../../protocol/codes.ts'

const ROOM = 'room:'
const TOPIC = 'topic:'

/** Neither wildcards [MQTT-3.3.2-14] nor NUL [MQTT-1.5.4-2], and no empty name [MQTT-4.7.3-1]. */
const TOPIC_NAME = /^[^+#\0]+$/

export function replyToOf(responseTopic: string): string {
  const address = ROOM + responseTopic
  return isAddress(address) ? address : TOPIC + responseTopic
}

/** The topic that a reply_to names; undefined where it is none, as `client:…`. */
export function responseTopicOf(replyTo: string): string | undefined {
  if (replyTo.startsWith(ROOM)) {
    return isAddress(replyTo) ? replyTo.slice(ROOM.length) : undefined
  }
  if (!replyTo.startsWith(TOPIC)) return undefined
  const topic = replyTo.slice(TOPIC.length)
  return TOPIC_NAME.test(topic) ? topic : undefined
}

function isAddress(text: string): boolean {
  try {
    parseAddress(text)
    return true
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}
