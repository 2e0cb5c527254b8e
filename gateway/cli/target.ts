/** Where a client command goes: a gateway, and a place in it. */
import type { ClientEnvironment } from '../config/client.ts'
import {
  type Address,
  formatAddress,
  parseAddress,
  parseFilter,
  parsePath,
  withKind,
} from '../protocol/address.ts'
import { usage } from './failure.ts'
import { refused } from './names.ts'

export interface Target {
  /** The canonical entry of the gateway; of a URL with a secret or a client in it, the URL. */
  readonly url: string
  /** Where it is a place: the URL that leads into it. */
  readonly placeUrl?: string
  /** Address with its kind. */
  readonly address: string
  /** Whether it is a room or an account's lobby, which have to be entered. */
  readonly isPlace: boolean
}

/**
 * Reads an address as typed, or a ws:// URL with an address as its path. `filter` lets the channel
 * be one.
 * Throws a Failure of usage.
 */
export function parseTarget(typed: string, environment: ClientEnvironment, filter = false): Target {
  return refused(typed, () => {
    if (/^(wss?|https?):\/\//.test(typed)) return fromUrl(typed)
    const isRoom = withKind(typed).startsWith('room:')
    const parse = filter && isRoom ? parseFilter : parseAddress
    return target(environment.url, parse(withKind(typed)))
  })
}

function fromUrl(typed: string): Target {
  const { pathname } = parseUrl(typed)
  const place = parsePath(pathname)
  if (place.kind === 'main') {
    throw usage(`${typed} names no room; write ws://HOST:PORT/ACCOUNT/ROOM, or an address alone`)
  }
  const plain = target(typed, place.address)
  if (place.kind !== 'room' || (!place.secret && !place.client)) return plain
  // What the path says beside the room counts for who comes in by it alone (R4).
  const url = new URL(pathname, plain.url).href
  return { ...plain, url, placeUrl: url }
}

function target(base: string, place: Address): Target {
  const url = entry(base)
  const address = formatAddress(place)
  const path = pathOf(place, address)
  if (path === undefined) return { url, address, isPlace: false }
  return { url, address, isPlace: true, placeUrl: new URL(path, url).href }
}

function pathOf(place: Address, address: string): string | undefined {
  if (place.kind === 'lobby') return `/user/${place.account}/`
  if (place.kind !== 'room') return undefined
  return `/${address.slice('room:'.length).split('/').map(encodeURIComponent).join('/')}`
}

function entry(base: string): string {
  const url = parseUrl(base)
  return `${url.protocol.replace('http', 'ws')}//${url.host}/v1/ws`
}

function parseUrl(text: string): URL {
  if (!URL.canParse(text) || !/^(wss?|https?):$/.test(new URL(text).protocol)) {
    throw usage(`${text} is not the URL of a gateway; write ws://HOST:PORT`)
  }
  return new URL(text)
}
