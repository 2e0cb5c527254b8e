/** HTTP with a small service of Connect behind it, to throw things at. */
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { Health } from '@porthouse/proto/grpc/health/v1/health'
import { pino } from 'pino'
import { Connections } from '../../gateway/ingress/connections.ts'
import { healthRoutes } from '../../gateway/ingress/http/health.ts'
import { type HttpServer, serveHttp } from '../../gateway/ingress/http/server.ts'
import { Proxies } from '../../gateway/ingress/proxies.ts'
import { Refusal } from '../../gateway/protocol/codes.ts'

export const CHECK = '/grpc.health.v1.Health/Check'
export const WATCH = '/grpc.health.v1.Health/Watch'

/** What one message of a request may take. */
export const MESSAGE_BYTES = 65_536

export const STREAMS = 20

export interface Stand {
  readonly port: number
  /** Streams of WATCH that are open. */
  readonly watchers: number
  /** The deadline of the last call, in milliseconds; undefined where it had none. */
  readonly deadlineMs: number | undefined
  /** Whether others are served. */
  serves(): Promise<boolean>
  close(): Promise<void>
}

export async function openStand(): Promise<Stand> {
  let watchers = 0
  let deadlineMs: number | undefined
  const handle = connectNodeAdapter({
    readMaxBytes: MESSAGE_BYTES,
    maxTimeoutMs: 60_000,
    routes: (router) =>
      router.service(Health, {
        check(_request, { timeoutMs }) {
          deadlineMs = timeoutMs()
          return { status: 1 }
        },
        async *watch(_request, { signal }) {
          watchers++
          try {
            yield { status: 1 }
            await new Promise((resolve) => signal.addEventListener('abort', resolve))
          } finally {
            watchers--
          }
        },
      }),
  })
  const server: HttpServer = await serveHttp({
    listeners: [{ listen: { host: '127.0.0.1', port: 0 }, section: 'http' }],
    http2: { streams: STREAMS, idleMs: 60_000 },
    origins: [],
    connections: new Connections({ max: 200, perAddress: 200 }, new Proxies([])),
    log: pino({ level: 'silent' }),
    handlers: [{ owns: (path) => path.startsWith('/grpc.'), handle }],
    routes: healthRoutes(() => Promise.resolve()),
    upgrade: () => {
      throw new Refusal(0, 'no')
    },
  })
  const port = server.endpoints[0]?.port as number
  return {
    port,
    get watchers() {
      return watchers
    },
    get deadlineMs() {
      return deadlineMs
    },
    serves: () => fetch(`http://127.0.0.1:${port}/healthz`).then(({ ok }) => ok),
    close: () => server.close(),
  }
}
