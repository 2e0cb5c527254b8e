/** A host name or address of this very machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host === '::1' || /^127(\.\d+){3}$/.test(host)
}

/** What a gateway is reached by of which nobody said more: from this machine alone. */
export function ownUrls(host: string, port: number): string[] {
  if (!isLoopback(host)) return []
  return ['127.0.0.1', 'localhost', '[::1]'].map((name) => `http://${name}:${port}`)
}
