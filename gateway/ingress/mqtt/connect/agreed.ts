/** What CONNECT and CONNACK have settled between a client and the gateway. */
import type { IConnectPacket } from 'mqtt-packet'

export interface Agreed {
  /** As the client gave it, or as it was assigned. */
  readonly clientId: string
  /** Under which the session is kept: says nothing, and is no other principal's. */
  readonly key: string
  /** Nothing of an earlier session goes on. */
  readonly cleanStart: boolean
  /** How long the session outlives the connection, in seconds. DISCONNECT may change it. */
  sessionExpiry: number
  /** In seconds; 0: none. */
  readonly keepAlive: number
  /** QoS 1 and 2 that the client takes at once. */
  readonly receiveMaximum: number
  /** Largest packet that the client takes, in bytes. */
  readonly packetBytes: number
  /** Topic aliases that the client takes. */
  readonly topicAliases: number
  /** It wants reason strings. */
  readonly wantsReasons: boolean
  /** It wants to know what the gateway vouches for, as user properties. */
  readonly wantsStamps: boolean
  readonly will: IConnectPacket['will']
}
