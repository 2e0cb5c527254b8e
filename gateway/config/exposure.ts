/** Secrets of administration must not cross a network in the clear (threat C11). */
import { isLoopback } from '../protocol/loopback.ts'
import type { Config } from './config.ts'
import { ConfigError } from './problem.ts'
import { formatEndpoint } from './setting.ts'

/**
 * Throws a ConfigError where others could reach administration without TLS. A proxy that is trusted
 * is believed to have it; `admin.insecure` is somebody's own word.
 */
export function refuseExposure(config: Config): void {
  const { http, admin } = config
  const exposed = exposedSetting(config)
  if (!exposed || http.trustedProxies.length > 0 || admin.insecure) return
  const listen = exposed === 'admin.listen' ? admin.listen : http.listen
  const where = listen === 'off' ? listen : formatEndpoint(listen)
  const text =
    `${exposed} is "${where}", and administration would be served there without TLS; give ` +
    'admin.listen a loopback address or admin.tls files, name the proxy with TLS in ' +
    'http.trustedProxies, leave it out with features all,-admin, or set admin.insecure'
  throw new ConfigError([{ text }])
}

/** What is to be said loudly at the start and by health, where somebody chose so (threat K19). */
export function exposureWarning(config: Config): string | undefined {
  const exposed = config.admin.insecure && exposedSetting(config)
  return exposed ? `admin.insecure: administration is open without TLS at ${exposed}` : undefined
}

function exposedSetting({ features, http, admin }: Config): string | undefined {
  if (!features.includes('admin')) return undefined
  const { listen, tls } = admin
  if (listen === 'off') return isLoopback(http.listen.host) ? undefined : 'http.listen'
  return tls.certFile === undefined && !isLoopback(listen.host) ? 'admin.listen' : undefined
}
