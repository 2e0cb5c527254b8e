/** What all MQTT connections work with; one object for the whole ingress. */
import type { Limits } from '../../protocol/limits.ts'
import type { Core } from '../../session/core.ts'
import type { Sessions } from '../../session/sessions.ts'
import type { Broker } from './aedes/broker.ts'
import type { MqttConnection } from './connection.ts'
import type { Shares } from './delivery/share.ts'
import type { KeptSessions } from './kept/kept-sessions.ts'

export interface MqttOptions {
  /** Largest packet from a client, in bytes. */
  readonly packetBytes: number
  readonly keepAliveMaxS: number
  readonly receiveMaximum: number
  readonly inflight: number
  readonly topicAliases: number
  readonly sessionExpiryMaxS: number
  /** Where clients may go while the gateway goes down. */
  readonly serverReference?: string | undefined
}

export interface MqttParts {
  readonly sessions: Sessions
  readonly core: Core
  readonly broker: Broker
  readonly kept: KeptSessions
  readonly shares: Shares
  /** Connections by the key of their session. */
  readonly connections: Map<string, MqttConnection>
  readonly options: MqttOptions
  readonly limits: Limits
  readonly log: Core['log']
}
