/** The way to the database of the settings: a server, or the embedded one, which it starts. */

import type { Server } from './database.ts'
import { Lease } from './embedded/lease.ts'
import type { StoreOptions } from './open.ts'
import { ensureRole } from './own-role.ts'

export interface Reached {
  readonly server: Server
  release(): void
}

/** Reaches it until it is released, whatever its schema is. Rejects with `unavailable`. */
export async function reach(options: StoreOptions): Promise<Reached> {
  const { url, dataDir, log, embedded } = options
  if (url) return { server: { url }, release: () => {} }
  const lease = await Lease.take({ dataDir, log, ...embedded })
  const server = { sockets: lease.sockets }
  try {
    await ensureRole(server)
  } catch (error) {
    lease.release()
    throw error
  }
  return { server, release: () => lease.release() }
}

/** The same, for as long as `use` takes. */
export async function withServer<T>(
  options: StoreOptions,
  use: (server: Server) => Promise<T>,
): Promise<T> {
  const { server, release } = await reach(options)
  try {
    return await use(server)
  } finally {
    release()
  }
}
