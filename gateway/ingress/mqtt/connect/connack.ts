/** CONNACK: what was settled, or why the client is not let in. */
import { Code } from '@porthouse/proto/v1/code'
import type { IConnackPacket } from 'mqtt-packet'
import { EMPTY_STACK } from '../../../locks/lock.ts'
import type { MqttConnection } from '../connection.ts'
import { serverReferenceAt } from '../disconnect.ts'
import { connackReason, returnCodeOf } from '../mapping/reasons.ts'
import { SOCKET } from '../mapping/reserved-names.ts'
import type { MqttParts } from '../parts.ts'
import { Reason } from '../wire/mqtt-error.ts'
import type { Agreed } from './agreed.ts'
import type { Login } from './login.ts'
import { Renewal } from './renewal.ts'

type Properties = IConnackPacket['properties']

/** Aedes has the session, and the store: what waits is read from now on. */
export function accepted(connection: MqttConnection, { returnCode }: IConnackPacket): void {
  const { agreed, session, login, version } = connection
  if (!agreed || !session || !login || connection.state !== 'connecting') return
  if (returnCode !== 0) return session.drop(Code.UNAVAILABLE, 'the session could not be begun')
  const packet: IConnackPacket = {
    cmd: 'connack',
    // 3.1 does not know of it.
    sessionPresent: login.isPresent && version > 3,
    returnCode: 0,
    reasonCode: 0,
    properties: {
      ...bounds(connection.parts),
      ...changes(agreed),
      ...lastWord(login, agreed),
      userProperties: { [SOCKET]: session.address },
    },
  }
  connection.send(packet)
  if (session.closed) return
  connection.renewal = agreed.method && new Renewal(connection, agreed.method)
  connection.login = undefined
  // Of the locks of the login nothing is left to know (G10).
  const { locks, ahead, failures } = session.stack
  if (locks.length + ahead.size + failures === 0) session.stack = EMPTY_STACK
  // What the login has said to the session was not the client's, who may say Hello first.
  session.greeted = false
  connection.state = 'connected'
  connection.go()
}

/** What is not told is as the specification has it: QoS 2, retained messages and all the rest. */
function bounds({ options }: MqttParts): Properties {
  const { receiveMaximum, packetBytes, topicAliases } = options
  return {
    receiveMaximum,
    maximumPacketSize: packetBytes,
    topicAliasMaximum: topicAliases,
    retainAvailable: true,
    wildcardSubscriptionAvailable: true,
    subscriptionIdentifiersAvailable: true,
    sharedSubscriptionAvailable: true,
  }
}

/** What the client asked for otherwise. */
function changes(agreed: Agreed): Properties {
  const { clientId, isAssigned, keepAlive, isImposed, sessionExpiry, expiryWanted } = agreed
  return {
    ...(isAssigned && { assignedClientIdentifier: clientId }),
    ...(isImposed && { serverKeepAlive: keepAlive }),
    ...(sessionExpiry !== expiryWanted && { sessionExpiryInterval: sessionExpiry }),
  }
}

/** [MQTT-4.12.0-5]. */
function lastWord(login: Login, { method }: Agreed): Properties {
  return method && { authenticationMethod: method, authenticationData: login.lastWord(method) }
}

/**
 * Tells why a client is not let in. Nothing is said to those that leave by themselves, and nothing
 * before MQTT 5 to those that break the protocol [MQTT-3.1.4-1], or before CONNECT.
 */
export function refuseConnection(
  connection: MqttConnection,
  code: Code,
  detail: string,
  reason?: number,
): void {
  const { state, version, agreed } = connection
  const isEarly = state === 'new' && reason === undefined
  if (code === Code.UNSPECIFIED || isEarly) return
  const refused = { cmd: 'connack', sessionPresent: false } as const
  if (version < 5) {
    if (reason !== undefined && !TOLD_BEFORE_5.has(reason)) return
    return connection.send({ ...refused, returnCode: returnCodeOf(code, reason) })
  }
  const serverReference = serverReferenceAt(connection, code)
  connection.send({
    ...refused,
    reasonCode: serverReference ? Reason.USE_ANOTHER_SERVER : (reason ?? connackReason(code)),
    properties: {
      ...((agreed?.wantsReasons ?? true) && { reasonString: detail }),
      ...(serverReference && { serverReference }),
    },
  })
}

/** Reasons of errors in a CONNECT that 3.1.1 has a return code for. */
const TOLD_BEFORE_5: ReadonlySet<number> = new Set([
  Reason.UNSUPPORTED_PROTOCOL_VERSION,
  Reason.CLIENT_IDENTIFIER_NOT_VALID,
])
