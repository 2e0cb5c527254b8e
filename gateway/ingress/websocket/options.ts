/** What WebSocket takes of the config. */
import type { Config } from '../../config/config.ts'
import { OffenceBook } from '../../identity/offences.ts'
import type { Log } from '../../observe/log.ts'
import type { Store } from '../../store/store.ts'
import type { Connections } from '../connections.ts'
import { originRules } from '../origin.ts'
import type { Proxies } from '../proxies.ts'
import type { WebSocketOptions } from './upgrade.ts'

export function webSocketOptions({
  config,
  store,
  log,
  clock,
  connections,
  proxies,
}: {
  readonly config: Config
  readonly store: Store
  readonly log: Log
  readonly clock: () => number
  readonly connections: Connections
  readonly proxies: Proxies
}): WebSocketOptions {
  const { http, limits, features, teleprinter } = config
  const { halfLifeMs, paceMax } = teleprinter
  const offences = new OffenceBook({ stored: store.offences, halfLifeMs, clock, log })
  return {
    origins: originRules(http),
    connections,
    proxies,
    packetBytes: limits.packetBytes,
    teleprinter: features.includes('teleprinter') ? { offences, paceMax } : undefined,
  }
}
