/** The one grammar of addresses (spec section 2), as text and as URL paths. */
import { Code } from '@porthouse/proto/v1/code'
import { checkChannel, checkFilter } from './channel.ts'
import { Refusal } from './codes.ts'
import { NAME_BYTES_MAX } from './limits.ts'
import { checkSlug, invalid, isUuid, parseName, RESERVED_WORDS } from './name.ts'

export interface RoomAddress {
  readonly kind: 'room'
  readonly account: string
  readonly room: string
  /** Of what parseFilter returns: a filter. Absent: the room itself. */
  readonly channel?: string
}

/** An account's lobby (R9). */
export interface LobbyAddress {
  readonly kind: 'lobby'
  readonly account: string
}

/** Names are slugs, or UUIDs in lower case. */
export type Address =
  | RoomAddress
  | { readonly kind: 'client'; readonly account: string; readonly client: string }
  | { readonly kind: 'socket'; readonly socket: string }
  | {
      readonly kind: 'group'
      readonly account: string
      readonly room: string
      readonly group: string
    }
  /** The n-th connection of a token; its id is a UUID, n counts from 1. */
  | { readonly kind: 'token'; readonly token: string; readonly n: number }
  | { readonly kind: 'lock'; readonly lock: string }
  | LobbyAddress

/** Reads an address. Throws Refusal: ADDRESS_INVALID, NAME_TOO_LONG or NESTING_TOO_DEEP. */
export function parseAddress(text: string): Address {
  const [kind, rest] = splitKind(text)
  switch (kind) {
    case 'room':
      return parseRoom(rest, checkChannel)
    case 'client': {
      const [account, client] = segments(rest, 2, 'client:{account}/{client}')
      return { kind, account: parseName(account!, 'account'), client: parseName(client!, 'client') }
    }
    case 'socket':
      return { kind, socket: parseId(rest, 'socket') }
    case 'group':
      return parseGroup(rest)
    case 'token':
      return parseToken(rest)
    case 'lock':
      return { kind, lock: parseId(rest, 'lock') }
    case 'lobby':
      return { kind, account: parseName(rest, 'account') }
    default:
      throw invalid(
        'an address starts with room:, client:, socket:, group:, token:, lock: or lobby:',
      )
  }
}

/** Reads a room's address whose channel may be a filter. Throws as parseAddress does. */
export function parseFilter(text: string): RoomAddress {
  const [kind, rest] = splitKind(text)
  if (kind !== 'room') throw invalid('only a room or its channels can be listened to')
  return parseRoom(rest, checkFilter)
}

/** Puts `room:` before what a person typed without a kind; the result is still to be parsed. */
export function withKind(typed: string): string {
  const colon = typed.indexOf(':')
  const slash = typed.indexOf('/')
  return colon === -1 || (slash !== -1 && slash < colon) ? `room:${typed}` : typed
}

/** The address as text. parseAddress reads the same address from it. */
export function formatAddress(address: Address): string {
  switch (address.kind) {
    case 'room': {
      const room = `room:${address.account}/${address.room}`
      return address.channel === undefined ? room : `${room}/${address.channel}`
    }
    case 'client':
      return `client:${address.account}/${address.client}`
    case 'socket':
      return `socket:${address.socket}`
    case 'group':
      return `group:${address.account}/${address.room}/${address.group}`
    case 'token':
      return `token:${address.token}/${address.n}`
    case 'lock':
      return `lock:${address.lock}`
    case 'lobby':
      return `lobby:${address.account}`
  }
}

function splitKind(text: string): [kind: string, rest: string] {
  // A UTF-16 unit is at least one byte, and no address of legal parts is longer in bytes.
  if (text.length > NAME_BYTES_MAX) throw tooLong('the address', NAME_BYTES_MAX)
  if (text === '') throw invalid('the address is empty')
  const colon = text.indexOf(':')
  return [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)]
}

function segments(rest: string, count: number, shape: string): string[] {
  const parts = rest.split('/')
  if (parts.length !== count) throw invalid(`not of the shape ${shape}`)
  return parts
}

function parseRoom(rest: string, check: (channel: string) => void): RoomAddress {
  const first = rest.indexOf('/')
  if (first === -1) throw invalid('not of the shape room:{account}/{room}')
  const second = rest.indexOf('/', first + 1)
  const account = parseName(rest.slice(0, first), 'account')
  const room = parseName(rest.slice(first + 1, second === -1 ? rest.length : second), 'room')
  if (second === -1) return { kind: 'room', account, room }
  const channel = rest.slice(second + 1)
  check(channel)
  return { kind: 'room', account, room, channel }
}

function parseGroup(rest: string): Address {
  const [account, room, group] = segments(rest, 3, 'group:{account}/{room}/{group}')
  checkSlug(group!, 'group')
  return {
    kind: 'group',
    account: parseName(account!, 'account'),
    room: parseName(room!, 'room'),
    group: group!,
  }
}

const COUNT = /^[1-9][0-9]{0,8}$/

function parseToken(rest: string): Address {
  const [token, n] = segments(rest, 2, 'token:{token}/{n}')
  if (!isUuid(token!)) throw invalid('the token is not a UUID')
  if (!COUNT.test(n!)) throw invalid("a token's connection is not a number from 1 to 999999999")
  return { kind: 'token', token: token!.toLowerCase(), n: Number(n) }
}

/** 80 bits in base32, so that they cannot be guessed or walked. */
const ID = /^[a-z2-7]{16}$/

function parseId(text: string, what: string): string {
  if (!ID.test(text)) throw invalid(`the ${what} is not 16 characters of a-z and 2-7`)
  return text
}

/** Of a room's or lobby's address, which was parsed before: the account's name in it. */
export function accountIn(place: string): string {
  return place.slice(place.indexOf(':') + 1).split('/')[0] as string
}

/** What may be entered by a Join: a room or channels of it, or an account's lobby. */
export function parsePlace(text: string): RoomAddress | LobbyAddress {
  if (!text.startsWith('lobby:')) return parseFilter(text)
  return parseAddress(text) as LobbyAddress
}

/** What a URL path asks for: the canonical entry, or a first place (R2 to R6). */
export type Entry =
  | { readonly kind: 'main' }
  | { readonly kind: 'lobby'; readonly address: LobbyAddress }
  | {
      readonly kind: 'room'
      readonly address: RoomAddress
      /** UUID of the client that the path names. */
      readonly client?: string
      /** What the acceptor `url` asks for. */
      readonly secret?: string
    }

/** Three characters for each byte, percent-encoded. */
const PATH_CHARS_MAX = 3 * NAME_BYTES_MAX

/**
 * Reads the path of a URL, still percent-encoded and without its query: `/v1/ws`,
 * `/{account}/{room}[/{channel}]`, `/{account}/{room}/{client-uuid}/[{channel}]`, either with
 * `~{secret}` after the room, or `/user/{account}/`.
 * Throws as parseAddress does, and PATH_UNKNOWN for a path of another shape.
 */
export function parsePath(path: string): Entry {
  if (path === '/v1/ws') return { kind: 'main' }
  if (path.length > PATH_CHARS_MAX) throw tooLong('the path', PATH_CHARS_MAX)
  if (!path.startsWith('/')) throw unknownPath()
  const [account, room, ...levels] = path.slice(1).split('/').map(decodeSegment)
  if (account === 'user' && room !== undefined) return accountLobby(room, levels)
  if (account === undefined || room === undefined || RESERVED_WORDS.has(account)) {
    throw unknownPath()
  }
  const secret = levels[0]?.startsWith('~') ? levels.shift()?.slice(1) : undefined
  const client = levels[0] !== undefined && isUuid(levels[0]) ? levels.shift() : undefined
  // The slash that ends a client's path (R4), and no other one.
  const ended = client !== undefined || secret !== undefined
  if (ended && levels.length === 1 && levels[0] === '') levels.pop()
  const place = [account, room, ...levels].join('/')
  const address = parseRoom(place, checkChannel)
  return {
    kind: 'room',
    address,
    ...(client !== undefined && { client: client.toLowerCase() }),
    ...(secret !== undefined && { secret }),
  }
}

function accountLobby(name: string, rest: readonly string[]): Entry {
  if (rest.length > 1 || (rest[0] ?? '') !== '') throw unknownPath()
  return { kind: 'lobby', address: { kind: 'lobby', account: parseName(name, 'account') } }
}

const URL_CHARACTERS = /^[!-~]*$/

function decodeSegment(segment: string): string {
  // Beyond ASCII, what reaches us as characters was bytes of an encoding that nobody told.
  if (!URL_CHARACTERS.test(segment)) throw invalid('the path holds what must be percent-encoded')
  const text = decode(segment)
  if (text.includes('/')) throw invalid('the path hides a / in a percent-encoding')
  return text
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw invalid('the path is not percent-encoded UTF-8')
  }
}

function unknownPath(): Refusal {
  return new Refusal(Code.PATH_UNKNOWN, 'expected /v1/ws, /{account}/{room} or /user/{account}/')
}

function tooLong(what: string, max: number): Refusal {
  return new Refusal(Code.NAME_TOO_LONG, `${what} is over ${max} bytes`)
}
