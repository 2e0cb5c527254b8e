/** CONNECT and AUTH: from the first packet to an identity, and an identity that is added later. */
import { Code } from '@porthouse/proto/v1/code'
import type { IAuthPacket, IConnectPacket } from 'mqtt-packet'
import { Refusal } from '../../../protocol/codes.ts'
import { NAME_BYTES_MAX } from '../../../protocol/limits.ts'
import { mayRead } from '../../../session/receive.ts'
import type { MqttConnection } from '../connection.ts'
import { mqttLane } from '../delivery/lane.ts'
import { mqttKind } from '../delivery/outbox.ts'
import { MqttError, protocolError, Reason } from '../wire/mqtt-error.ts'
import { agree } from './agreed.ts'
import { arrive, replaceBy } from './arrive.ts'
import { claimOf } from './claim.ts'
import { readMethod } from './lock-steps.ts'
import { Login } from './login.ts'
import { principalBy } from './session-key.ts'

/**
 * Opens the session, which is in limbo until something is proved (R14). What is refused is thrown,
 * or ends the session; CONNACK tells it either way. Nothing more is read until that is sent, but
 * AUTH.
 */
export function handleConnect(connection: MqttConnection, packet: IConnectPacket): void {
  const { parts, handshake, version } = connection
  connection.state = 'connecting'
  connection.packetBytes = packet.properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY
  connection.hold()
  if (parts.sessions.draining) throw new Refusal(Code.DRAINING, 'the gateway goes down')
  if (!parts.sessions.mayTry(handshake.remote)) {
    throw new Refusal(Code.RATE_LIMITED, 'too many wrong answers came from this network')
  }
  checkClientId(packet)
  const { authenticationMethod } = packet.properties ?? {}
  const method = authenticationMethod === undefined ? undefined : readMethod(authenticationMethod)
  const lane = mqttLane(version)
  const kind = mqttKind(connection)
  const session = parts.sessions.open({ wire: connection, lane, handshake, kind })
  connection.session = session
  connection.agreed = agree(packet, session, parts.options, method)
  session.makeRoom = (proof) => replaceBy(connection, principalBy(proof), packet.clientId)
  session.limboFrames++
  session.limboBytes += packet.length ?? 0
  if (!mayRead(session, 0)) return
  const done = () => {
    session.makeRoom = undefined
    connection.agreed = agree(packet, session, parts.options, method)
    arrive(connection).catch((error) => connection.fail(error))
  }
  connection.login = new Login({ connection, session, claim: claimOf(packet), method, done })
  connection.login.begin(packet)
}

/** What it is when empty the reader has seen to. */
function checkClientId({ clientId }: IConnectPacket): void {
  if (Buffer.byteLength(clientId) <= NAME_BYTES_MAX) return
  const detail = `a client id over ${NAME_BYTES_MAX} bytes`
  throw new MqttError(Reason.CLIENT_IDENTIFIER_NOT_VALID, Code.NAME_TOO_LONG, detail)
}

/** Goes on with a login, or begins another proof beside it. Throws MqttError 0x82 and Refusal. */
export function handleAuth(connection: MqttConnection, packet: IAuthPacket): void {
  const { agreed, state, login, renewal } = connection
  const { authenticationMethod, authenticationData } = packet.properties ?? {}
  if (agreed?.method === undefined) throw protocolError('AUTH, and CONNECT named no method')
  if (authenticationMethod !== agreed.method) {
    throw protocolError('another authentication method than that of CONNECT')
  }
  const goesOn = packet.reasonCode === Reason.CONTINUE_AUTHENTICATION
  if (state !== 'authenticating') return renewal?.take(goesOn, authenticationData)
  if (!goesOn || !login) throw protocolError('authenticates anew before it has once')
  login.goOn(authenticationData)
}
