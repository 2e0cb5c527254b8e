/** A gateway that runs, as those see it who administer it or have it in their own program. */
import type { Endpoint } from '../config/setting.ts'

export interface Gateway {
  /** Where it listens in fact. */
  readonly http: Endpoint
  /** The same on TLS, and what is set apart; undefined where that is off. */
  readonly https: Endpoint | undefined
  readonly admin: Endpoint | undefined
  readonly metrics: Endpoint | undefined
  /** Where MQTT listens on TCP, and on TLS; undefined where that is off. */
  readonly mqtt: Endpoint | undefined
  readonly mqttTls: Endpoint | undefined
  /** Of MQTT over WebSocket, where HTTP listens; undefined where that is off. */
  readonly mqttPath: string | undefined
  /** Live sockets. */
  readonly sockets: number
  /**
   * Takes the certificates and keys of all TLS as they are now, for connections from then on; by
   * itself it does when their files change. Throws where they are no good; what was good stays.
   */
  reload(): void
  /** Resolves when it has ended in order, by whoever wanted that. */
  readonly ended: Promise<void>
  /** What an operator should know of how it is set. */
  readonly warnings: readonly string[]
  /** It ends, and takes nobody new. */
  readonly draining: boolean
  /**
   * Ends in order: takes no new connections, tells the sockets to reconnect, lets their outboxes
   * out for at most config.drainMs, and closes. The store stays open; it is the caller's.
   */
  drain(): Promise<void>
}
