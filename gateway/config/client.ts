/** What commands that call a gateway take from the environment; apart, to load no schema. */
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Variables that are no settings of the gateway. */
export const VARIABLES = {
  file: 'PORTHOUSE_CONFIG',
  url: 'PORTHOUSE_URL',
  token: 'PORTHOUSE_TOKEN',
  key: 'PORTHOUSE_KEY',
  password: 'PORTHOUSE_PASSWORD',
  bearer: 'PORTHOUSE_BEARER',
  apiKey: 'PORTHOUSE_API_KEY',
} as const

export interface ClientEnvironment {
  /** ws://host:port of the gateway. */
  readonly url: string
  readonly token?: string
  /** A connection key of an account. */
  readonly key?: string
  readonly password?: string
  /** A JWT. */
  readonly bearer?: string
}

export function clientEnvironment(env: NodeJS.ProcessEnv = process.env): ClientEnvironment {
  const secrets = (['token', 'key', 'password', 'bearer'] as const)
    .map((name) => [name, env[VARIABLES[name]]])
    .filter(([, value]) => value)
  return { url: env[VARIABLES.url] || 'ws://127.0.0.1:8080', ...Object.fromEntries(secrets) }
}

export interface AdminEnvironment {
  /** ws:// or http:// of the gateway; undefined: nobody says. */
  readonly url?: string
  readonly apiKey?: string
  /** Folder of the user's profiles. */
  readonly folder: string
}

export function adminEnvironment(env: NodeJS.ProcessEnv = process.env): AdminEnvironment {
  const url = env[VARIABLES.url]
  const apiKey = env[VARIABLES.apiKey]
  const folder = join(baseFolder(env.XDG_CONFIG_HOME, '.config'), 'porthouse')
  return { ...(url && { url }), ...(apiKey && { apiKey }), folder }
}

/** XDG Base Directory Specification: a relative path is to be ignored. */
export function baseFolder(set: string | undefined, usual: string): string {
  return set?.startsWith('/') ? set : join(homedir(), usual)
}
