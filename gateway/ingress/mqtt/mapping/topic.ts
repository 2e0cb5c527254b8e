/** Topics and addresses: the topic is a room's or channel's address without its `room:`. */
import { parseAddress, type RoomAddress } from '../../../protocol/address.ts'

/** `place`: `{account}/{room}`; `channel`: `` for the room itself. */
export function topicOf(place: string, channel: string): string {
  return channel === '' ? place : `${place}/${channel}`
}

/**
 * The room or channel that a PUBLISH, a will or a response topic names. Throws Refusal:
 * ADDRESS_INVALID, NAME_TOO_LONG or NESTING_TOO_DEEP (M10, M12); topics under `$` are none.
 */
export function roomOfTopic(topic: string): RoomAddress {
  return parseAddress(`room:${topic}`) as RoomAddress
}
