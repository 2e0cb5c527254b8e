/** The admin API of a running gateway, over HTTP: Connect, gRPC and gRPC-Web. */
import { createContextValues } from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { remoteKey } from './calls/call.ts'
import { Streams } from './calls/streams.ts'
import type { Authenticate } from './credentials/authenticate.ts'
import type { AdminParts } from './parts.ts'
import { routerOptions, routes } from './services.ts'

type Handle = ReturnType<typeof connectNodeAdapter>
type Request = Parameters<Handle>[0]

export interface Admin {
  /** Whether a path, without its query, is one of the API. */
  owns(path: string): boolean
  readonly handle: Handle
  /** Ends what still goes on. */
  stop(): void
}

/** Where its services are: `/{package}.{service}/{method}`. */
const PATH = /^\/(porthouse\.admin|grpc\.(health|reflection))\.v\d+\w*\./

/** How often what is too old in the audit log is deleted, in milliseconds. */
const TRIM_MS = 3_600_000
const DAY_MS = 86_400_000

/** `remoteOf`: the address that a request came from (threat H14). */
export function openAdmin(
  parts: AdminParts,
  authenticate: Authenticate,
  remoteOf: (request: Request) => string,
): Admin {
  const streams = new Streams(parts.config.admin.streams)
  const handle = connectNodeAdapter({
    ...routerOptions(parts, authenticate, streams),
    routes: routes(parts),
    contextValues: (request) => createContextValues().set(remoteKey, remoteOf(request)),
  })
  const trimming = setInterval(() => void trim(parts), TRIM_MS).unref()
  return {
    owns: (path) => PATH.test(path),
    handle(request, response) {
      if (request.method === 'POST') return handle(request, response)
      // Every method may change something, and none is asked by GET (threat C4).
      response.statusCode = 405
      response.setHeader('allow', 'POST')
      response.end()
    },
    stop() {
      clearInterval(trimming)
      streams.stop()
    },
  }
}

async function trim({ config, store, log, clock }: AdminParts): Promise<void> {
  const { days, entries } = config.admin.audit
  try {
    await store.audit.trim(new Date(clock() - days * DAY_MS), entries)
  } catch (err) {
    log.warn({ err }, 'the audit log is not trimmed, for now')
  }
}
