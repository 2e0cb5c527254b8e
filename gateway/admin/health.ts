/** gRPC's health protocol, for probes and balancers: open to everybody. */
import { Code as ConnectCode, ConnectError, type ServiceImpl } from '@connectrpc/connect'
import {
  type Health,
  HealthCheckResponse_ServingStatus as Status,
} from '@porthouse/proto/grpc/health/v1/health'
import { Bell } from './calls/bell.ts'
import { streamKey } from './calls/call.ts'
import type { AdminParts } from './parts.ts'

/** How often whoever watches looks, and how long an answer of the store is believed. */
const LOOK_MS = 1_000
const BELIEVED_MS = 500

/** `services`: names of those that are here. */
export function healthService(
  parts: AdminParts,
  services: ReadonlySet<string>,
): ServiceImpl<typeof Health> {
  const look = looked(parts)
  return {
    async check({ service }) {
      if (service !== '' && !services.has(service)) {
        throw new ConnectError('no such service', ConnectCode.NotFound)
      }
      return { status: await look() }
    },

    async *watch({ service }, { values }) {
      const signal = values.get(streamKey)
      const isHere = service === '' || services.has(service)
      const bell = new Bell(signal)
      let told: Status | undefined
      for (;;) {
        const ends = signal.aborted
        const status = isHere ? await look() : Status.SERVICE_UNKNOWN
        if (status !== told) yield { status }
        told = status
        // One more look at the end: whoever watches a gateway that goes down is told so.
        if (ends) return
        await bell.rings(LOOK_MS)
      }
    },
  }
}

/** The status now; of many who ask at once the store is asked for one. */
function looked({ live, store, uptime }: AdminParts): () => Promise<Status> {
  let last: { readonly at: number; readonly status: Promise<Status> } | undefined
  const asked = () =>
    store.ping().then(
      () => Status.SERVING,
      () => Status.NOT_SERVING,
    )
  return async () => {
    if (live?.gateway()?.draining) return Status.NOT_SERVING
    if (!last || uptime() - last.at >= BELIEVED_MS) last = { at: uptime(), status: asked() }
    return last.status
  }
}
