/** What all MQTT connections work with; one object for the whole ingress. */
import type { Config } from '../../config/config.ts'
import type { Limits } from '../../protocol/limits.ts'
import type { Uuid7Source } from '../../protocol/uuid7.ts'
import type { Graph } from '../../router/graph.ts'
import type { Core } from '../../session/core.ts'
import type { Sessions } from '../../session/sessions.ts'
import type { Store } from '../../store/store.ts'
import { Broker } from './aedes/broker.ts'
import type { MqttConnection } from './connection.ts'
import { Shares } from './delivery/share.ts'
import type { AwayRooms } from './kept/away-rooms.ts'
import { KeptSessions } from './kept/kept-sessions.ts'

export interface MqttOptions {
  /** Largest packet from a client, in bytes. */
  readonly packetBytes: number
  readonly connectTimeoutMs: number
  readonly keepAliveMaxS: number
  readonly receiveMaximum: number
  readonly inflight: number
  readonly topicAliases: number
  readonly sessionExpiryMaxS: number
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

interface Given {
  readonly config: Config
  readonly store: Store
  readonly log: Core['log']
}

export interface OpenMqtt extends Given {
  readonly core: Core
  readonly sessions: Sessions
  readonly graph: Graph
  readonly ids: Uuid7Source
  readonly away: AwayRooms
}

/** Rejects where the store does not answer. */
export async function openMqtt(given: OpenMqtt): Promise<MqttParts> {
  const { config, store, log, core, sessions, graph, ids, away } = given
  const { limits, mqtt } = config
  const bounds = { messages: mqtt.queueMessages, bytes: mqtt.queueBytes }
  const broker = await Broker.open({
    store,
    graph,
    turn: core.turn,
    ids,
    limits,
    bounds,
    log,
  })
  const kept = new KeptSessions({ core, store, away, options: mqtt, log })
  kept.start()
  return {
    sessions,
    core,
    broker,
    kept,
    shares: new Shares(),
    connections: new Map(),
    options: { ...mqtt, packetBytes: limits.packetBytes },
    limits,
    log,
  }
}
