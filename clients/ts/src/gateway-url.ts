const SCHEMES: Readonly<Record<string, string>> = {
  'http:': 'http:',
  'ws:': 'http:',
  'https:': 'https:',
  'wss:': 'https:',
}

/**
 * What a gateway is called in what its clients sign: the origin of its URL, `http` for `ws` and
 * `https` for `wss`, without a port that is the scheme's own. Undefined: not a gateway's URL.
 */
export function gatewayOrigin(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined
  const { protocol, host } = new URL(url)
  const scheme = SCHEMES[protocol]
  return scheme && host ? `${scheme}//${host}` : undefined
}
