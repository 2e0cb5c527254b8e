/** Where a client command goes: a gateway, and a place in it. */
import type { ClientEnvironment } from '../config/client.ts'
import {
  formatAddress,
  parseAddress,
  parseFilter,
  parsePath,
  withKind,
} from '../protocol/address.ts'
import { usage } from './failure.ts'
import { refused } from './names.ts'

export interface Target {
  /** The canonical entry of the gateway. */
  readonly url: string
  /** Where it is a room: the URL that leads into it. */
  readonly placeUrl?: string
  /** Address with its kind. */
  readonly address: string
  readonly isRoom: boolean
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
    return target(environment.url, formatAddress(parse(withKind(typed))), isRoom)
  })
}

function fromUrl(typed: string): Target {
  const { pathname } = parseUrl(typed)
  const place = parsePath(pathname)
  if (place.kind !== 'room' || place.client) {
    throw usage(`${typed} names no room; write ws://HOST:PORT/ACCOUNT/ROOM, or an address alone`)
  }
  return target(typed, formatAddress(place.address), true)
}

function target(base: string, address: string, isRoom: boolean): Target {
  const url = entry(base)
  if (!isRoom) return { url, address, isRoom }
  const path = address.slice('room:'.length).split('/').map(encodeURIComponent).join('/')
  return { url, address, isRoom, placeUrl: new URL(`/${path}`, url).href }
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
