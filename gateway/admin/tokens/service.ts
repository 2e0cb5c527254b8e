/** Tokens of the admin API. */
import type { ServiceImpl } from '@connectrpc/connect'
import type { TokenService } from '@porthouse/proto/admin/v1/token_service'
import type { AdminParts } from '../parts.ts'
import { secretMethods } from './secrets.ts'
import { tokenMethods } from './tokens.ts'

export function tokenService(parts: AdminParts): ServiceImpl<typeof TokenService> {
  return { ...tokenMethods(parts), ...secretMethods(parts) }
}
