/** What CONNECT and CONNACK have settled between a client and the gateway. */
import type { IConnectPacket } from 'mqtt-packet'
import type { Session } from '../../../session/session.ts'
import { STAMP } from '../mapping/reserved-names.ts'
import type { MqttOptions } from '../parts.ts'
import type { Method } from './lock-steps.ts'
import { keyOf, principalOf } from './session-key.ts'

export interface Agreed {
  /** As the client gave it, or as it was assigned. */
  readonly clientId: string
  readonly isAssigned: boolean
  /** Under which the session is kept: says nothing, and is no other principal's. */
  readonly key: string
  /** Nothing of an earlier session goes on. */
  readonly cleanStart: boolean
  /** How long the client wants the session to outlive the connection, in seconds. */
  readonly expiryWanted: number
  /** How long it does, in seconds. DISCONNECT may change it. */
  sessionExpiry: number
  /** In seconds; 0: none. */
  readonly keepAlive: number
  /** It is another one than the client asked for. */
  readonly isImposed: boolean
  /** QoS 1 and 2 that the client takes at once. */
  readonly receiveMaximum: number
  /** Topic aliases that the client takes. */
  readonly topicAliases: number
  /** It wants reason strings. */
  readonly wantsReasons: boolean
  /** It wants to know what the gateway vouches for, as user properties. */
  readonly wantsStamps: boolean
  /** Of enhanced authentication; undefined: there is none. */
  readonly method: Method | undefined
  /** DISCONNECT may take it back. */
  will: IConnectPacket['will']
}

/** What 3.1 and 3.1.1 leave open, and MQTT 5 by default. */
const RECEIVE_MAXIMUM = 65_535

/** Session expiry of those that are to stay for good. */
const FOR_EVER = 0xffff_ffff

/** What can be settled as the session is now; again, once it is known whose it is. */
export function agree(
  packet: IConnectPacket,
  session: Session,
  options: MqttOptions,
  method: Method | undefined,
): Agreed {
  const { clientId: given, clean: cleanStart = true, will, properties = {} } = packet
  const clientId = given === '' ? session.id : given
  const principal = principalOf(session)
  const expiryWanted = expiryIn(packet)
  const keepAlive = keepAliveOf(packet, options)
  return {
    clientId,
    isAssigned: given === '',
    key: keyOf(principal, principal ? clientId : session.id),
    cleanStart,
    expiryWanted,
    // Of nobody in particular nothing is kept: the next one could be anybody.
    sessionExpiry: principal ? Math.min(expiryWanted, options.sessionExpiryMaxS) : 0,
    keepAlive,
    isImposed: keepAlive !== packet.keepalive,
    receiveMaximum: properties.receiveMaximum ?? RECEIVE_MAXIMUM,
    topicAliases: properties.topicAliasMaximum ?? 0,
    wantsReasons: properties.requestProblemInformation ?? true,
    wantsStamps: [properties.userProperties?.[STAMP]].flat().includes('1'),
    method,
    will: will && ownMemory(will),
  }
}

/** 3.1.1 knows sessions that go with their connection, and sessions that stay. */
function expiryIn({ protocolVersion, clean, properties }: IConnectPacket): number {
  if (protocolVersion === 5) return properties?.sessionExpiryInterval ?? 0
  return clean ? 0 : FOR_EVER
}

/** Only MQTT 5 can be told another one than it asked for [MQTT-3.1.2-21]. */
function keepAliveOf({ protocolVersion, keepalive = 0 }: IConnectPacket, options: MqttOptions) {
  const { keepAliveMaxS: max } = options
  if (protocolVersion !== 5 || max === 0) return keepalive
  return keepalive === 0 ? max : Math.min(keepalive, max)
}

/** What was read lies in memory that is read into again. */
function ownMemory(will: NonNullable<IConnectPacket['will']>): Agreed['will'] {
  const { correlationData } = will.properties ?? {}
  return {
    ...will,
    payload: Buffer.from(will.payload),
    ...(correlationData && {
      properties: { ...will.properties, correlationData: Buffer.from(correlationData) },
    }),
  }
}
