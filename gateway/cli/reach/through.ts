/** Clients of the admin API: over HTTP, or of the services in this process. */
import { readFileSync } from 'node:fs'
import type { AgentOptions } from 'node:https'
import { createClient, type Transport } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import type { Admin } from '../with-admin.ts'
import { type StoreOptions, withStore } from '../with-store.ts'
import { adminFailure } from './admin-failure.ts'
import type { Reached } from './reach.ts'

/** Of a call; one that watches says 0, which is no end. */
const TIMEOUT_MS = 30_000

export async function throughApi<T>(
  reached: Reached,
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const transport = createConnectTransport({
    baseUrl: reached.url,
    httpVersion: '1.1',
    ...(reached.certFile && { nodeOptions: trusting(reached.certFile) }),
    defaultTimeoutMs: TIMEOUT_MS,
    interceptors: [
      (next) => (request) => {
        request.header.set('authorization', `Bearer ${reached.key}`)
        return next(request)
      },
    ],
  })
  return told(use(clientsBy(transport)), reached.url)
}

export function throughStore<T>(
  options: StoreOptions,
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  return withStore(options, async (store, around) => {
    const { localAdmin } = await import('../../gateway.ts')
    return told(use(clientsBy(await localAdmin({ ...around, store }))))
  })
}

/** What the folder of the gateway says of it is as good as any authority's word. */
function trusting(certFile: string): AgentOptions {
  return {
    ca: readFileSync(certFile),
    allowPartialTrustChain: true,
    checkServerIdentity: () => undefined,
  }
}

function clientsBy(transport: Transport): Admin {
  return (service) => createClient(service, transport)
}

async function told<T>(done: Promise<T>, url?: string): Promise<T> {
  try {
    return await done
  } catch (error) {
    throw adminFailure(error, url)
  }
}
