/** The gateway itself: what it is, how it is set, and its orderly end. */
import { create, type JsonObject } from '@bufbuild/protobuf'
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import {
  DrainResponseSchema,
  ListenerSchema,
  ServerSchema,
  type ServerService,
} from '@porthouse/proto/admin/v1/server_service'
import { Code } from '@porthouse/proto/v1/code'
import { digestOf } from '../../config/digest.ts'
import { shownSettings } from '../../config/shown.ts'
import { put, type Tree } from '../../config/tree.ts'
import { VERSION } from '../../observe/version.ts'
import { callOf } from '../calls/call.ts'
import { theLive } from '../live.ts'
import type { AdminParts } from '../parts.ts'
import type { Gateway } from '../running.ts'
import { scopeOf } from '../scope.ts'
import { logLevels, setLogLevel } from './log-levels.ts'

export function serverService(parts: AdminParts): ServiceImpl<typeof ServerService> {
  const { config, levels } = parts
  const configDigest = digestOf(config)
  const listeners = once(listenersOf)
  return {
    async getServer(_, context) {
      const { clock, uptime, live } = parts
      const gateway = live?.gateway()
      const now = clock()
      const running = live ? uptime() - live.startedAt : 0
      const server = create(ServerSchema)
      server.version = VERSION
      server.features = [...config.features]
      server.configDigest = configDigest
      server.startTime = timestampFromMs(now - running)
      server.uptime = durationFromMs(running)
      server.time = timestampFromMs(now)
      server.draining = gateway?.draining ?? false
      if (callOf(context).principal.account) return server
      // For those alone who run the gateway.
      server.logLevels = logLevels(levels)
      server.listeners = gateway ? listeners(gateway) : []
      server.warnings = [...(gateway?.warnings ?? [])]
      return server
    },

    async getConfig() {
      const settings: Tree = {}
      for (const [key, value] of shownSettings(config)) put(settings, key, value)
      return { settings: settings as JsonObject, configDigest }
    },

    async setLogLevel(request, context) {
      return setLogLevel(levels, request, callOf(context))
    },

    async drain({ name, reason, validateOnly }, context) {
      const live = theLive(parts)
      const { account } = await scopeOf(parts, name, context)
      const { core, sessions } = live
      const those = [...(account ? core.accounts.sessionsOf(account.id) : sessions.all)]
      const answer = create(DrainResponseSchema, { sockets: those.length })
      if (validateOnly) return answer
      callOf(context).changed = { resource: name }
      if (account) {
        for (const each of those) each.drop(Code.DRAINING, reason || 'its account is drained')
      } else {
        if (reason) sessions.announce(reason)
        const failed = (err: unknown) => parts.log.error({ err }, 'the end was not in order')
        // After the answer, whose connection ends with the gateway.
        setImmediate(() => live.gateway()?.drain().catch(failed))
      }
      return answer
    },
  }
}

const LISTENERS = [
  ['http', 'http', false],
  ['http.tls', 'https', true],
  ['admin', 'admin', false],
  ['metrics', 'metrics', false],
  ['mqtt', 'mqtt', false],
  ['mqtt.tls', 'mqttTls', true],
] as const

function listenersOf(gateway: Gateway) {
  return LISTENERS.flatMap(([name, of, tls]) => {
    const endpoint = gateway[of]
    return endpoint ? [create(ListenerSchema, { name, ...endpoint, tls })] : []
  })
}

/** What it gives does not change. */
function once<From, To>(make: (from: From) => To): (from: From) => To {
  let made: To | undefined
  return (from) => {
    made ??= make(from)
    return made
  }
}
