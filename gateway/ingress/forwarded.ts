/** What proxies write of whom they speak for: `X-Forwarded-For`, and `Forwarded` of RFC 7239. */
import { isIP } from 'node:net'

export interface Hop {
  /** An IP address; undefined where the proxy does not tell it. */
  readonly address: string | undefined
  readonly proto: string | undefined
}

/** The value of `X-Forwarded-For`, nearest hop last; undefined where it is malformed. */
export function parseForwardedFor(text: string): Hop[] | undefined {
  const nodes = text.split(',').map((part) => parseNode(part.trim()))
  if (nodes.includes(undefined)) return undefined
  return nodes.map((node) => ({ address: node?.address, proto: undefined }))
}

/** The value of `Forwarded`, nearest hop last; undefined where it is malformed. */
export function parseForwarded(text: string): Hop[] | undefined {
  const hops: Hop[] = []
  let hop: Record<string, string> = Object.create(null)
  let rest = text
  for (;;) {
    const pair = PAIR.exec(rest)
    const [whole = '', name = '', bare, quoted = '', separator] = pair ?? []
    if (!pair || name.toLowerCase() in hop) return undefined
    hop[name.toLowerCase()] = bare ?? quoted.replace(/\\(.)/g, '$1')
    rest = rest.slice(whole.length)
    if (separator === ';') continue
    const node = parseNode(hop.for ?? 'unknown')
    if (!node) return undefined
    hops.push({ address: node.address, proto: hop.proto?.toLowerCase() })
    if (separator !== ',') return hops
    hop = Object.create(null)
  }
}

/** One `name=value` of RFC 7239 section 4, its value a token or quoted, and what follows it. */
const PAIR =
  /^[ \t]*([!#$%&'*+.^_`|~\w-]+)=(?:([!#$%&'*+.^_`|~\w:[\]-]+)|"((?:[^"\\]|\\.)*)")[ \t]*([;,]|$)/

/** A node of RFC 7239 section 6, with its port left out; undefined where it is none. */
function parseNode(text: string): { address: string | undefined } | undefined {
  if (/^(unknown|_[\w.-]+)(:[\w.-]+)?$/i.test(text)) return { address: undefined }
  const bare = /^\[(.+)\](?::[\w.-]+)?$/.exec(text)?.[1] ?? /^([\d.]+)(?::\d+)?$/.exec(text)?.[1]
  const address = bare ?? text
  return isIP(address) === 0 ? undefined : { address }
}
