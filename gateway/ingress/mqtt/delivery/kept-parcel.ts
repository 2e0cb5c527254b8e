/** What was kept for a client while it was away, on its way to it. */
import type { IPublishPacket, IPubrelPacket } from 'mqtt-packet'
import type { MqttConnection } from '../connection.ts'
import { keptOfBytes } from '../kept/kept-message.ts'
import { stampProperties } from '../mapping/stamp.ts'
import { mqttLane } from './lane.ts'
import { type Parcel, parcelOf } from './parcel.ts'

export type KeptPacket = IPublishPacket | IPubrelPacket

/** Undefined for what cannot be read: it is lost, and the rest is not. */
export function keptParcel(
  { topic, payload, qos, retain, dup, messageId }: IPublishPacket,
  { version, agreed, parts }: MqttConnection,
): Parcel | undefined {
  const lane = mqttLane(version)
  const [account = '', room = '', ...levels] = topic.split('/')
  try {
    const { stamp, body, identifiers } = keptOfBytes(Buffer.from(payload))
    const written = lane.writer(`${account}/${room}`)
    written.envelope(body, { ...stamp, channel: Buffer.from(levels.join('/')) })
    return parcelOf(written.content(0), {
      qos,
      retain,
      dup,
      identifiers,
      timeMs: stamp.timeMs,
      aedesId: messageId ?? 0,
      ...(lane.is5 && agreed?.wantsStamps && { stamp: stampProperties(stamp) }),
    })
  } catch (err) {
    parts.log.error({ session: agreed?.key, err }, 'a kept message cannot be read')
    return undefined
  }
}
