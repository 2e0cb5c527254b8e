/** What the client commands take from the environment; apart, so that they load no schema. */

/** Variables that are no settings of the gateway. */
export const VARIABLES = {
  file: 'PORTHOUSE_CONFIG',
  url: 'PORTHOUSE_URL',
  token: 'PORTHOUSE_TOKEN',
  key: 'PORTHOUSE_KEY',
  password: 'PORTHOUSE_PASSWORD',
  bearer: 'PORTHOUSE_BEARER',
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
