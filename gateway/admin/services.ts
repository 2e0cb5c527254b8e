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
import { GraphService } from '@porthouse/proto/admin/v1/graph_service'
import { MessageService } from '@porthouse/proto/admin/v1/message_service'
import { OffenderService } from '@porthouse/proto/admin/v1/offender_service'
import { RoomService } from '@porthouse/proto/admin/v1/room_service'
import { ServerService } from '@porthouse/proto/admin/v1/server_service'
import { SocketService } from '@porthouse/proto/admin/v1/socket_service'
import { StatsService } from '@porthouse/proto/admin/v1/stats_service'
import { TechnicalService } from '@porthouse/proto/admin/v1/technical_service'
import { TokenService } from '@porthouse/proto/admin/v1/token_service'
import { Health } from '@porthouse/proto/grpc/health/v1/health'
import { ServerReflection } from '@porthouse/proto/grpc/reflection/v1/reflection'
import * as alpha from '@porthouse/proto/grpc/reflection/v1alpha/reflection'
import type { Feature } from '../config/features.ts'
import { Calls } from '../observe/calls.ts'
import { accountService } from './accounts.ts'
import { apiKeyService } from './api-keys.ts'
import { auditService } from './audit-log.ts'
import { audit } from './calls/audit.ts'
import { checks } from './calls/checks.ts'
import { counted } from './calls/counted.ts'
import { errors } from './calls/errors.ts'
import { gate } from './calls/gate.ts'
import { once } from './calls/once.ts'
import type { Streams } from './calls/streams.ts'
import { traced } from './calls/traced.ts'
import { clientService } from './client/service.ts'
import { connectionKeyService } from './connection-keys.ts'
import type { Authenticate } from './credentials/authenticate.ts'
import { explainService } from './explain.ts'
import { flowService } from './flows/service.ts'
import { graphService } from './graph/graph.ts'
import { healthService } from './health.ts'
import { messageService } from './messages/service.ts'
import { offenderService } from './offenders.ts'
import type { AdminParts } from './parts.ts'
import { Files } from './reflection/files.ts'
import { reflectionService } from './reflection/reflection.ts'
import { roomService } from './rooms/service.ts'
import { serverService } from './server/server.ts'
import { socketService } from './sockets/sockets.ts'
import { statsService } from './stats/stats.ts'
import { technicalService } from './technical/technical.ts'
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
  served(MessageService, messageService, 'messages'),
  served(OffenderService, offenderService),
  served(RoomService, roomService),
  served(TokenService, tokenService),
  served(GraphService, graphService),
  served(ServerService, serverService),
  served(SocketService, socketService),
  served(StatsService, statsService),
  served(TechnicalService, technicalService),
]

const REFLECTION = [ServerReflection, alpha.ServerReflection]

/** Services that everybody may call, and those that everybody may who has credentials. */
function publicServices({ reflection }: AdminParts['config']['admin']) {
  const known = REFLECTION.map(({ typeName }) => typeName)
  return { open: new Set([Health.typeName, ...(reflection ? known : [])]), known: new Set(known) }
}

export function routes(parts: AdminParts): (router: ConnectRouter) => void {
  const services = [...SERVICES.map(({ service }) => service), Health, ...REFLECTION]
  const names = new Set(services.map(({ typeName }) => typeName))
  return (router) => {
    for (const { service, of, feature } of SERVICES) {
      if (!feature || parts.config.features.includes(feature)) router.service(service, of(parts))
    }
    router.service(Health, healthService(parts, names))
    const reflection = reflectionService(new Files(services))
    for (const service of REFLECTION) router.service(service, reflection)
  }
}

/** What stands before every service: outermost first. */
export function routerOptions(
  parts: AdminParts,
  authenticate: Authenticate,
  streams: Streams,
): ConnectRouterOptions {
  const { config, store, log, clock, uptime, newId, live } = parts
  const calls = live?.core.counts.calls ?? new Calls()
  const counting = { calls, stopwatch: () => performance.now() / 1000 }
  const { perSecond, burst, requestBytes, timeoutMs, requests } = config.admin
  const rate = { perSecond, burst }
  const records = { audit: store.audit, accounts: store.accounts }
  return {
    requestGate: gate({
      authenticate,
      rate,
      ...publicServices(config.admin),
      uptime,
      log,
      ...counting,
    }),
    interceptors: [
      counted(counting),
      errors(log),
      ...(config.features.includes('traces') ? [traced] : []),
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
