/** Clients of the admin API, with what they prove themselves by. */
import type { ServiceImpl } from '@connectrpc/connect'
import type { ClientService } from '@porthouse/proto/admin/v1/client_service'
import type { AdminParts } from '../parts.ts'
import { clientMethods } from './clients.ts'
import { credentialMethods } from './credentials.ts'

export function clientService(parts: AdminParts): ServiceImpl<typeof ClientService> {
  return { ...clientMethods(parts), ...credentialMethods(parts) }
}
