/** PUBACK, PUBREC and PUBCOMP of a client, for what was delivered to it. */
import type { IPubackPacket, IPubcompPacket, IPubrecPacket } from 'mqtt-packet'
import type { MqttConnection } from '../connection.ts'
import { Reason } from '../wire/mqtt-error.ts'

const REFUSED = 0x80

/** One that acknowledges nothing is ignored, but for a PUBREC of MQTT 5, which has an answer. */
export function acknowledged(
  connection: MqttConnection,
  { cmd, messageId = 0, reasonCode = 0 }: IPubackPacket | IPubrecPacket | IPubcompPacket,
): void {
  const { outbox, version } = connection
  const isRefused = reasonCode >= REFUSED
  if (outbox.acknowledge(cmd, messageId, isRefused)) return
  if (cmd !== 'pubrec' || version < 5 || isRefused) return
  outbox.pubrel(messageId, Reason.PACKET_IDENTIFIER_NOT_FOUND)
}
