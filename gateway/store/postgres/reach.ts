/** The way to the database of the settings: a server, or the embedded one, which it starts. */

import type { Server } from './database.ts'
import { Lease } from './embedded/lease.ts'
import type { StoreOptions } from './open.ts'

/** Reaches it for as long as `use` takes, whatever its schema is. Rejects with `unavailable`. */
export async function withServer<T>(
  { url, embedded, ...rest }: StoreOptions,
  use: (server: Server) => Promise<T>,
): Promise<T> {
  if (url) return use({ url })
  const lease = await Lease.take({ ...rest, ...embedded })
  try {
    return await use({ sockets: lease.sockets })
  } finally {
    lease.release()
  }
}
