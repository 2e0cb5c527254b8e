/** The admin API within this process, for the command line where no gateway runs. */
import { createRouterTransport, type Transport } from '@connectrpc/connect'
import { Role } from '@porthouse/proto/admin/v1/options'
import { Streams } from './calls/streams.ts'
import type { Authenticate } from './credentials/authenticate.ts'
import type { AdminParts } from './parts.ts'
import { routerOptions, routes } from './services.ts'

/** Who has the store open may do all that an operator may. */
const operator: Authenticate = async () => ({
  id: 'operator',
  role: Role.OPERATOR,
  holds: async () => true,
})

export function localTransport(parts: AdminParts): Transport {
  const streams = new Streams(parts.config.admin.streams)
  return createRouterTransport(routes(parts), { router: routerOptions(parts, operator, streams) })
}
