/** Listening, the same for every ingress: where it fails, the error says what to set otherwise. */
import type { AddressInfo, Server } from 'node:net'
import { type Endpoint, formatEndpoint } from '../config/setting.ts'
import type { Log } from '../observe/log.ts'

/** Silence after which the system looks for a peer that is gone without a word, in milliseconds. */
const PROBE_MS = 60_000

/** How a server is to treat the sockets that it accepts, on TCP and under TLS. */
export const SOCKETS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: PROBE_MS }

/** An endpoint that cannot be listened on. */
export class ListenError extends Error {
  /** Of the system, such as EADDRINUSE. */
  readonly code: string
  /** HOST:PORT. */
  readonly endpoint: string
  /** Where it stands in the config, such as `http.listen`. */
  readonly setting: string

  constructor(cause: NodeJS.ErrnoException, endpoint: Endpoint, setting: string) {
    const where = formatEndpoint(endpoint)
    super(`cannot listen on ${where} (${cause.code}); see ${setting}`, { cause })
    this.name = 'ListenError'
    this.code = String(cause.code)
    this.endpoint = where
    this.setting = setting
  }
}

/** Resolves with where it listens in fact; rejects with a ListenError. */
export function listen(
  server: Server,
  endpoint: Endpoint,
  { setting, log }: { readonly setting: string; readonly log: Log },
): Promise<Endpoint> {
  return new Promise((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException) =>
      reject(new ListenError(error, endpoint, setting))
    server.once('error', refused)
    server.listen(endpoint.port, endpoint.host, () => {
      server.off('error', refused)
      // One connection could not be accepted: those that are open, and later ones, go on.
      server.on('error', (error) => log.warn({ err: error, setting }, 'a connection was not taken'))
      const { address, port } = server.address() as AddressInfo
      resolve({ host: address, port })
    })
  })
}
