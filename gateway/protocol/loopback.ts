/** A host name or address of this very machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host === '::1' || /^127(\.\d+){3}$/.test(host)
}

/** Where HTTP listens, and where it does on TLS. */
export interface Reached {
  readonly http: At
  readonly https?: At | undefined
}

interface At {
  readonly host: string
  readonly port: number
}

/** What a gateway is reached by of which nobody said more: from this machine alone. */
export function ownUrls({ http, https }: Reached): string[] {
  return [...named('http', http), ...(https ? named('https', https) : [])]
}

function named(scheme: string, { host, port }: At): string[] {
  if (!isLoopback(host)) return []
  return ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${scheme}://${name}:${port}`)
}
