/** The services of the admin API: one table, and how they are mounted. */
import type { DescService } from '@bufbuild/protobuf'
import type { ConnectRouter, ConnectRouterOptions, ServiceImpl } from '@connectrpc/connect'
import { AccountService } from '@porthouse/proto/admin/v1/account_service'
import { ApiKeyService } from '@porthouse/proto/admin/v1/api_key_service'
import { AuditService } from '@porthouse/proto/admin/v1/audit_service'
import { ClientService } from '@porthouse/proto/admin/v1/client_service'
import { ConnectionKeyService } from '@porthouse/proto/admin/v1/connection_key_service'
import { ExplainService } from '@porthouse/proto/admin/v1/explain_service'
import { FlowService } from '@porthouse/proto/admin/v1/flow_service'
import { OffenderService } from '@porthouse/proto/admin/v1/offender_service'
import { RoomService } from '@porthouse/proto/admin/v1/room_service'
import { TokenService } from '@porthouse/proto/admin/v1/token_service'
import type { Feature } from '../config/features.ts'
import { accountService } from './accounts.ts'
import { apiKeyService } from './api-keys.ts'
import { auditService } from './audit-log.ts'
import { audit } from './calls/audit.ts'
import { checks } from './calls/checks.ts'
import { errors } from './calls/errors.ts'
import { gate } from './calls/gate.ts'
import { once } from './calls/once.ts'
import type { Streams } from './calls/streams.ts'
import { clientService } from './client/service.ts'
import { connectionKeyService } from './connection-keys.ts'
import type { Authenticate } from './credentials/authenticate.ts'
import { explainService } from './explain.ts'
import { flowService } from './flows/service.ts'
import { offenderService } from './offenders.ts'
import type { AdminParts } from './parts.ts'
import { roomService } from './rooms/service.ts'
import { tokenService } from './tokens/service.ts'

/** Implements a service; `Desc` of both is the same. */
interface Served<Desc extends DescService = DescService> {
  readonly service: Desc
  /** It is there with this feature alone (R47); undefined: with administration. */
  readonly feature: Feature | undefined
  readonly of: (parts: AdminParts) => ServiceImpl<Desc>
}

function served<Desc extends DescService>(
  service: Desc,
  of: (parts: AdminParts) => ServiceImpl<Desc>,
  feature?: Feature,
): Served {
  return { service, of, feature } as unknown as Served
}

export const SERVICES: readonly Served[] = [
  served(AccountService, accountService),
  served(ApiKeyService, apiKeyService),
  served(AuditService, auditService),
  served(ClientService, clientService),
  served(ConnectionKeyService, connectionKeyService),
  served(ExplainService, explainService, 'why'),
  served(FlowService, flowService),
  served(OffenderService, offenderService),
  served(RoomService, roomService),
  served(TokenService, tokenService),
]

/** Services that everybody may call. */
const OPEN: ReadonlySet<string> = new Set()

export function routes(parts: AdminParts): (router: ConnectRouter) => void {
  return (router) => {
    for (const { service, of, feature } of SERVICES) {
      if (!feature || parts.config.features.includes(feature)) router.service(service, of(parts))
    }
  }
}

/** What stands before every service: outermost first. */
export function routerOptions(
  parts: AdminParts,
  authenticate: Authenticate,
  streams: Streams,
): ConnectRouterOptions {
  const { config, store, log, clock, uptime, newId } = parts
  const { perSecond, burst, requestBytes, timeoutMs, requests } = config.admin
  const records = { audit: store.audit, accounts: store.accounts }
  return {
    requestGate: gate({ authenticate, rate: { perSecond, burst }, open: OPEN, uptime, log }),
    interceptors: [
      errors(log),
      streams.interceptor,
      checks,
      once({ ...requests, uptime }),
      audit({ ...records, newId, clock, log }),
    ],
    // A field that is misspelt would go unseen, and with it, say, the locks of a room.
    jsonOptions: { ignoreUnknownFields: false },
    readMaxBytes: requestBytes,
    maxTimeoutMs: timeoutMs,
  }
}
