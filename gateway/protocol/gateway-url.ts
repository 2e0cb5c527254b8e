/** What a gateway is called in what clients sign (issue 4): the origin of its public URL. */

/** Far longer than any host with its port. */
const URL_CHARS_MAX = 512

const SCHEMES: Readonly<Record<string, string>> = {
  'http:': 'http:',
  'ws:': 'http:',
  'https:': 'https:',
  'wss:': 'https:',
}

/**
 * The origin form: scheme (`http` for `ws`, `https` for `wss`), host in lower case (a name beyond
 * ASCII in its punycode) and port unless it is the scheme's own, such as `https://hub.example` or
 * `http://127.0.0.1:8080`. A path, query or fragment falls away; undefined: no such URL, or one
 * with a user in it.
 */
export function gatewayUrl(url: string): string | undefined {
  if (url.length > URL_CHARS_MAX || !URL.canParse(url)) return undefined
  const { protocol, host, username, password } = new URL(url)
  const scheme = SCHEMES[protocol]
  if (!scheme || host === '' || username !== '' || password !== '') return undefined
  return `${scheme}//${host}`
}

/** The origin form of what a client claims to sign for, if this gateway is one of `own`. */
export function ownGatewayUrl(claimed: string, own: readonly string[]): string | undefined {
  const url = gatewayUrl(claimed)
  return url !== undefined && own.some((each) => gatewayUrl(each) === url) ? url : undefined
}
