/**
 * The stamp for MQTT 5, which has no place for it: user properties, told to a session whose CONNECT
 * had the user property `porthouse-stamp` with the value `1`, since small devices have no room.
 */
import { Replay } from '@porthouse/proto/v1/envelope'
import type { UserProperties } from 'mqtt-packet'
import type { Stamp } from '../../../protocol/packet-writer.ts'
import { uuidOf } from '../../../protocol/uuid7.ts'
import { PropertyWriter } from './properties.ts'
import { STAMP } from './reserved-names.ts'

/** Whether CONNECT asks for it. */
export function asksForStamp(userProperties: UserProperties | undefined): boolean {
  return userProperties?.[STAMP] === '1'
}

const REPLAYS: ReadonlyMap<number, string> = new Map([
  [Replay.HISTORY, 'history'],
  [Replay.SESSION, 'session'],
  [Replay.RETAINED, 'retained'],
])

/** Encoded, to be put behind Published.properties. What is absent in the stamp is absent here. */
export function stampProperties(stamp: Stamp): Buffer {
  const { id, from, sequence, epoch, timeMs, replay } = stamp
  const writer = new PropertyWriter()
  const add = (name: string, value: string | Uint8Array) =>
    writer.user(Buffer.from(`porthouse-${name}`), Buffer.from(value))
  add('id', uuidOf(id.bytes.toString('hex', id.at, id.at + 16)))
  if (from.length > 0) add('from', from)
  if (sequence > 0) add('sequence', `${sequence}`)
  if (epoch > 0) add('epoch', `${epoch}`)
  add('time', `${timeMs}`)
  const why = REPLAYS.get(replay)
  if (why !== undefined) add('replay', why)
  return writer.whole()
}
