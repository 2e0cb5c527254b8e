/** What the client commands take from the environment; apart, so that they load no schema. */

/** Variables that are no settings of the gateway. */
export const VARIABLES = {
  file: 'PORTHOUSE_CONFIG',
  url: 'PORTHOUSE_URL',
  token: 'PORTHOUSE_TOKEN',
} as const

export interface ClientEnvironment {
  /** ws://host:port of the gateway. */
  readonly url: string
  readonly token?: string
}

export function clientEnvironment(env: NodeJS.ProcessEnv = process.env): ClientEnvironment {
  const token = env[VARIABLES.token]
  return { url: env[VARIABLES.url] || 'ws://127.0.0.1:8080', ...(token && { token }) }
}
