/** `porthouse server …`: the gateway itself: what it is, its log, and its orderly end. */

import { toJson } from '@bufbuild/protobuf'
import { durationFromMs } from '@bufbuild/protobuf/wkt'
import {
  LogLevel,
  LogLevelSettingSchema,
  type Server,
  ServerConfigSchema,
  ServerSchema,
  ServerService,
} from '@porthouse/proto/admin/v1/server_service'
import { usage } from '../failure.ts'
import { print, printJson } from '../output.ts'
import { parseSpan } from '../quantity.ts'
import { parentResource, timeOf } from '../resource.ts'
import { type AdminOptions, withAdmin } from '../with-admin.ts'
import { type Columns, printDone, printItem } from './shown.ts'

interface LogOptions extends AdminOptions {
  readonly subsystem?: string
  readonly for?: string
}

interface DrainOptions extends AdminOptions {
  readonly reason?: string
  readonly dryRun?: boolean
}

const SERVER: Columns<Server> = {
  version: ({ version }) => version,
  features: ({ features }) => features.join(' '),
  listens: ({ listeners }) =>
    listeners
      .map(({ name, host, port, tls }) => `${name} ${host}:${port}${tls ? ' TLS' : ''}`)
      .join(', '),
  config: ({ configDigest }) => configDigest,
  started: ({ startTime }) => (startTime ? timeOf(startTime) : '-'),
  draining: ({ draining }) => (draining ? 'yes' : 'no'),
  warnings: ({ warnings }) => warnings.join('; ') || 'none',
}

const LEVELS: ReadonlyMap<string, LogLevel> = new Map(
  Object.entries(LogLevel).map(([name, level]) => [name.toLowerCase(), level as LogLevel]),
)

export async function showServer({ json, ...options }: AdminOptions): Promise<void> {
  const server = await withAdmin(options, (admin) => admin(ServerService).getServer({}))
  printItem(ServerSchema, server, SERVER, json)
}

/** The settings that the gateway runs by, as JSON. */
export async function showSettings({ json, ...options }: AdminOptions): Promise<void> {
  const config = await withAdmin(options, (admin) => admin(ServerService).getConfig({}))
  if (json) return printJson(toJson(ServerConfigSchema, config))
  print(JSON.stringify(config.settings, undefined, 2))
}

export async function setLogLevel(
  typed: string,
  { json, subsystem = '', for: span, ...options }: LogOptions,
): Promise<void> {
  const level = LEVELS.get(typed.toLowerCase())
  if (level === undefined) {
    throw usage(`${typed} is no level: trace, debug, info, warn, error, fatal or silent`)
  }
  const duration = span === undefined ? undefined : durationFromMs(parseSpan(span, '--for'))
  const request = { level, subsystem, ...(duration && { duration }) }
  const set = await withAdmin(options, (admin) => admin(ServerService).setLogLevel(request))
  if (json) return printJson(toJson(LogLevelSettingSchema, set))
  const until = set.expireTime ? ` until ${timeOf(set.expireTime)}` : ''
  print(`${set.subsystem || 'the gateway'} logs ${typed}${until}`)
}

export async function drain(
  what: string,
  { json, reason = '', dryRun = false, ...options }: DrainOptions,
): Promise<void> {
  const name = parentResource(what)
  const request = { name, reason, validateOnly: dryRun }
  await withAdmin(options, (admin) => admin(ServerService).drain(request))
  const who =
    name === '-' ? 'the gateway goes down' : `the sockets of ${what} are told to reconnect`
  printDone(json, { drained: name }, dryRun ? `${who}, if it is not a dry run` : who)
}
