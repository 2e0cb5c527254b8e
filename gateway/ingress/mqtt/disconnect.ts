/** DISCONNECT, both ways: a client that leaves, and one that is told to. */
import { Code } from '@porthouse/proto/v1/code'
import type { IDisconnectPacket } from 'mqtt-packet'
import type { Agreed } from './connect/agreed.ts'
import type { MqttConnection } from './connection.ts'
import { disconnectReason } from './mapping/reasons.ts'
import { protocolError, Reason } from './wire/mqtt-error.ts'

const NORMAL = 0x00

/**
 * The client leaves, once what it has published before is on its way. Only a normal end takes its
 * will back [MQTT-3.14.4-3]. Throws MqttError 0x82.
 */
export function handleDisconnect(
  connection: MqttConnection,
  { reasonCode = NORMAL, properties }: IDisconnectPacket,
): void {
  const { agreed, session, parts } = connection
  if (!agreed || !session) return
  const expiry = properties?.sessionExpiryInterval
  if (expiry !== undefined) extend(agreed, expiry, parts.options.sessionExpiryMaxS)
  if (reasonCode === NORMAL) {
    agreed.will = undefined
    session.leaves = true
  }
  connection.hold()
  connection.whenIdle(() => session.drop(Code.UNSPECIFIED, 'the client leaves'))
}

/** What was to end with the connection cannot be kept any more [MQTT-3.14.2-2]. */
function extend(agreed: Agreed, expiry: number, max: number): void {
  if (expiry > 0 && agreed.expiryWanted === 0) {
    throw protocolError('a session that was to end with its connection')
  }
  // Not where it is not kept: of nobody in particular, or one too many.
  if (agreed.sessionExpiry > 0) agreed.sessionExpiry = Math.min(expiry, max)
}

/** Nothing is told before MQTT 5, nor to one that leaves by itself. */
export function tellDisconnect(
  connection: MqttConnection,
  code: Code,
  detail: string,
  reason?: number,
): void {
  const { version, agreed } = connection
  if (version < 5 || code === Code.UNSPECIFIED) return
  const serverReference = serverReferenceAt(connection, code)
  connection.send({
    cmd: 'disconnect',
    reasonCode: serverReference ? Reason.USE_ANOTHER_SERVER : (reason ?? disconnectReason(code)),
    properties: {
      ...(agreed?.wantsReasons && { reasonString: detail }),
      ...(serverReference && { serverReference }),
    },
  })
}

/** Where a client may go instead; undefined where that is not known, or not called for. */
export function serverReferenceAt({ parts }: MqttConnection, code: Code): string | undefined {
  return code === Code.DRAINING ? parts.options.serverReference : undefined
}
