import { isUtf8 } from 'node:buffer'
import { Code } from '@porthouse/proto/v1/code'
import type { IPublishPacket } from 'mqtt-packet'
import { MqttError, Reason } from '../mqtt-error.ts'

/**
 * Whether a payload that says it is text is UTF-8 (payload format indicator 1, MQTT 5 section
 * 3.3.2.3.2). Throws MqttError 0x99, which refuses that message alone.
 */
export function checkFormat(message: Pick<IPublishPacket, 'payload' | 'properties'>): void {
  if (!message.properties?.payloadFormatIndicator) return
  if (typeof message.payload === 'string' || isUtf8(message.payload)) return
  const detail = 'the payload is said to be UTF-8 and is not'
  throw new MqttError(Reason.PAYLOAD_FORMAT_INVALID, Code.CONTENT_INVALID, detail)
}
