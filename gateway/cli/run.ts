/** `porthouse run`: config, log, store, gateway; then until a signal ends it in order. */
import { resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { refuseExposure } from '../config/exposure.ts'
import { ConfigError } from '../config/problem.ts'
import { formatEndpoint } from '../config/setting.ts'
import { createGateway, type Gateway, ListenError } from '../gateway.ts'
import { levelsOf } from '../observe/levels.ts'
import { type Log, openLog } from '../observe/log.ts'
import { openStore } from '../store/postgres/open.ts'
import type { Store } from '../store/store.ts'
import { collectGarbage } from './collect.ts'
import { demoHint, prepareDemo } from './demo.ts'
import { Failure } from './failure.ts'
import { print } from './output.ts'
import { announce } from './reach/running.ts'
import { configFailure, type RunOptions, readSettings } from './settings.ts'
import { openTraces } from './traces.ts'
import { storeFailure } from './with-store.ts'

export async function run(options: RunOptions): Promise<void> {
  const { config } = readSettings(options)
  const { log, close } = openLog(config.log)
  // A reader of the first lines who then goes away must not end the gateway.
  process.stdout.on('error', () => {})
  const signal = firstSignal()
  const traces = await openTraces(config)
  try {
    // Before a store is made that nobody would come to use.
    refuseExposure(config)
    const { databaseUrl: url, data: dataDir } = config
    const storing = levelsOf(log).of('store')
    const store = await openStore({ url, dataDir, log: storing, upkeep: true })
    try {
      await serve(config, store, log, signal)
    } finally {
      await store.close()
    }
  } catch (error) {
    throw startFailure(storeFailure(error))
  } finally {
    await traces.shutdown()
    await close()
  }
}

async function serve(
  config: Config,
  store: Store,
  log: Log,
  signal: Promise<string>,
): Promise<void> {
  const secret = config.demo ? await prepareDemo(store, config.data) : undefined
  const gateway = await createGateway({ config, store, log })
  const withdraw = config.features.includes('admin')
    ? await announce(config, administrationOf(gateway, config))
    : undefined
  await collectGarbage()
  const url = `ws://${reachedAt(gateway.http)}`
  const mqtt = waysOfMqtt(gateway, url)
  print(`porthouse listens on ${url.replace('ws', 'http')} (WebSocket ${url})`)
  for (const line of otherWays(gateway, config)) print(line)
  if (mqtt.length > 0) print(`MQTT is spoken on ${mqtt.join(', ')}`)
  if (secret) print(`\n${demoHint({ url, mqtt: gateway.mqtt, secret })}`)
  reloadOnHangup(gateway, config, log)
  log.info({ http: formatEndpoint(gateway.http), features: config.features }, 'listening')
  const asked = signal.then((name) => log.info({ signal: name }, 'draining'))
  await Promise.race([asked, gateway.ended])
  await withdraw?.()
  await gateway.drain()
  log.info('ended')
}

/** As URLs, such as many clients take them. */
function waysOfMqtt({ mqtt, mqttTls, mqttPath }: Gateway, url: string): string[] {
  return [
    ...(mqtt ? [`mqtt://${reachedAt(mqtt)}`] : []),
    ...(mqttTls ? [`mqtts://${reachedAt(mqttTls)}`] : []),
    ...(mqttPath ? [`${url}${mqttPath}`] : []),
  ]
}

/** What listens beside HTTP's own port. */
function otherWays(gateway: Gateway, config: Config): string[] {
  const { https, admin, metrics } = gateway
  return [
    ...(https ? [`and on https://${reachedAt(https)} (WebSocket wss://${reachedAt(https)})`] : []),
    ...(admin ? [`administration on ${administrationOf(gateway, config).url}`] : []),
    ...(metrics ? [`metrics on http://${reachedAt(metrics)}/metrics`] : []),
  ]
}

/** Where administration is reached from this machine, and by which certificate on TLS. */
function administrationOf({ http, admin }: Gateway, { admin: { tls } }: Config) {
  if (!admin) return { url: `http://${reachedAt(http)}` }
  const { certFile } = tls
  if (certFile === undefined) return { url: `http://${reachedAt(admin)}` }
  return { url: `https://${reachedAt(admin)}`, certFile: resolve(certFile) }
}

/** Takes renewed certificates over; without TLS the signal means what it always does. */
function reloadOnHangup(gateway: Gateway, config: Config, log: Log): void {
  const { http, mqtt, admin } = config
  if (![http, mqtt, admin].some(({ tls }) => tls.certFile !== undefined)) return
  process.on('SIGHUP', () => {
    try {
      gateway.reload()
      log.info('the certificate is read anew')
    } catch (error) {
      log.error({ err: error }, 'the certificate is no good; that of before stays')
    }
  })
}

/** Resolves at SIGTERM or SIGINT; the second of them ends the process at once. */
function firstSignal(): Promise<string> {
  return new Promise((resolve) => {
    let seen = false
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        if (seen) process.exit(1)
        seen = true
        resolve(name)
      })
    }
  })
}

/** A listener on every address is reached on this machine by its loopback. */
function reachedAt({ host, port }: Gateway['http']): string {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return formatEndpoint({ host: reached, port })
}

/** The flags of what is listened on; the rest stands in the config alone. */
const FLAGS: Record<string, string> = {
  'http.listen': '--http HOST:PORT',
  'mqtt.listen': '--mqtt HOST:PORT',
}

function startFailure(error: unknown): unknown {
  if (error instanceof ConfigError) return configFailure(error)
  if (!(error instanceof ListenError)) return error
  const { code, endpoint, setting } = error
  const flag = FLAGS[setting] ?? `${setting} in the config`
  if (code === 'EADDRINUSE') {
    return new Failure(code, `${endpoint} is in use; choose another with ${flag}`)
  }
  return new Failure(code, `cannot listen on ${endpoint} (${code}); see ${flag}`)
}
