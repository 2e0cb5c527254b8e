/** What breaks MQTT itself, by the reason codes of MQTT 5 (section 2.4), in all versions. */
import { Code } from '@porthouse/proto/v1/code'

/** Reason codes, by their names in the specification. */
export const Reason = {
  CONTINUE_AUTHENTICATION: 0x18,
  MALFORMED_PACKET: 0x81,
  PROTOCOL_ERROR: 0x82,
  UNSUPPORTED_PROTOCOL_VERSION: 0x84,
  CLIENT_IDENTIFIER_NOT_VALID: 0x85,
  PACKET_IDENTIFIER_NOT_FOUND: 0x92,
  TOPIC_ALIAS_INVALID: 0x94,
  PACKET_TOO_LARGE: 0x95,
  QUOTA_EXCEEDED: 0x97,
  PAYLOAD_FORMAT_INVALID: 0x99,
  USE_ANOTHER_SERVER: 0x9c,
} as const

/**
 * Thrown for what MQTT does not allow. From the reader it ends the connection; from a check of one
 * filter or one message, whoever asked answers that one alone.
 */
export class MqttError extends Error {
  /** Of MQTT 5, 0x80 and above. */
  readonly reason: number
  readonly code: Code
  /** For a person; nothing in it is the peer's own words. */
  readonly detail: string

  constructor(reason: number, code: Code, detail: string) {
    super(`0x${reason.toString(16)}: ${detail}`)
    this.name = 'MqttError'
    this.reason = reason
    this.code = code
    this.detail = detail
  }
}

/** What cannot be read by the rules of the specification. */
export function malformed(detail: string, code: Code = Code.MALFORMED_PACKET): MqttError {
  return new MqttError(Reason.MALFORMED_PACKET, code, detail)
}

/** What reads well and is not allowed there. */
export function protocolError(detail: string): MqttError {
  return new MqttError(Reason.PROTOCOL_ERROR, Code.FRAME_NOT_ALLOWED, detail)
}
