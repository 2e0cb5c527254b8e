/**
 * The one place where Aedes is built: it keeps sessions, and says who takes whose over. It has no
 * connections, no topics and no messages but those that were kept for a session.
 */
import { Aedes } from 'aedes'
import type { Log } from '../../../observe/log.ts'
import type { Limits } from '../../../protocol/limits.ts'
import type { Uuid7Source } from '../../../protocol/uuid7.ts'
import type { Graph } from '../../../router/graph.ts'
import type { Turn } from '../../../router/turn.ts'
import type { MqttQueueBounds } from '../../../store/mqtt-sessions.ts'
import type { Store } from '../../../store/store.ts'
import { Emitter } from './emitter.ts'
import {
  authenticate,
  authorizeForward,
  authorizePublish,
  authorizeSubscribe,
  preConnect,
  published,
} from './hooks.ts'
import * as names from './names.ts'
import { Persistence } from './persistence.ts'
import { type AedesClient, Port, type PortHost } from './port.ts'
import { topicsOf } from './topics.ts'

/** Of Aedes' heartbeats, in milliseconds: the longest of which a timer takes four. */
const HEARTBEAT_MS = 2 ** 29 - 1

/** What of Aedes is used beside its types. */
interface Engine {
  handle(port: Port): void
  unregisterClient(client: AedesClient): void
  on(event: 'client' | 'clientReady', listener: (client: AedesClient) => void): void
  on(event: 'clientError', listener: (client: AedesClient, error: Error) => void): void
  on(event: 'error', listener: (error: Error) => void): void
}

export interface BrokerParts {
  readonly store: Pick<Store, 'mqttSessions' | 'retained'>
  readonly graph: Graph
  readonly turn: Turn
  readonly ids: Uuid7Source
  readonly limits: Limits
  /** Of each session's queue. */
  readonly bounds: MqttQueueBounds
  readonly log: Log
}

export class Broker {
  readonly #aedes: Aedes
  readonly #engine: Engine

  private constructor(aedes: Aedes, log: Log) {
    this.#aedes = aedes
    this.#engine = aedes as unknown as Engine
    this.#engine.on('client', (client) => this.#registered(client))
    this.#engine.on('clientReady', ({ conn }) => conn.host.ready())
    this.#engine.on('clientError', (_, err) => log.debug({ err }, 'an MQTT session failed'))
    this.#engine.on('error', (err) => log.error({ err }, 'the MQTT session engine'))
  }

  /** Rejects where the store does not answer. */
  static async open({ store, graph, bounds, log, ...parts }: BrokerParts): Promise<Broker> {
    const aedes = new Aedes({
      preConnect,
      authenticate,
      authorizeSubscribe,
      authorizePublish,
      authorizeForward,
      published,
      mq: new Emitter({ ...parts, topics: topicsOf(graph) }),
      persistence: new Persistence({
        sessions: store.mqttSessions,
        retained: store.retained,
        // Last values are the rooms' own, and which room a subscription is of the stage says.
        roomOf: () => undefined,
        names,
        bounds,
      }),
      // The stage does all of these: time limits, bounds and keep alive.
      heartbeatInterval: HEARTBEAT_MS,
      drainTimeout: 0,
      keepaliveLimit: 0,
    })
    const broker = new Broker(aedes, log)
    await aedes.listen()
    return broker
  }

  /** A connection of Aedes'; what is said first on it is CONNECT. */
  attach(host: PortHost): Port {
    const port = new Port(host)
    this.#engine.handle(port)
    port.taken()
    return port
  }

  /** Lets go of all sessions, which stay as they are. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#aedes.close(resolve))
  }

  /** Aedes registers one that is gone already, where that came while it asked the store. */
  #registered(client: AedesClient): void {
    client.conn.registered = true
    if (client.closed) this.#engine.unregisterClient(client)
  }
}
