/** Resources of the admin API, as the command line names and shows them. */
import { type Timestamp, timestampDate } from '@bufbuild/protobuf/wkt'
import { clientName, idOf, nameOf, roomName } from './names.ts'

/** What stands for all accounts, or for the gateway itself. */
export const ALL = '-'

/** `accounts/NAME`. Throws a Failure of usage. */
export function accountResource(typed: string): string {
  return `accounts/${nameOf(typed, 'account')}`
}

/** The same of an account, or `-` as it is. */
export function parentResource(typed: string): string {
  return typed === ALL ? ALL : accountResource(typed)
}

/** `accounts/ACCOUNT/rooms/ROOM` of ACCOUNT/ROOM. Throws a Failure of usage. */
export function roomResource(typed: string): string {
  const { account, room } = roomName(typed)
  return `accounts/${account}/rooms/${room}`
}

/** `accounts/ACCOUNT/clients/CLIENT` of ACCOUNT/CLIENT. Throws a Failure of usage. */
export function clientResource(typed: string): string {
  const { account, client } = clientName(typed)
  return `accounts/${account}/clients/${client}`
}

/** ACCOUNT/ROOM of that, and the same of a client. */
export function addressOf(name: string): string {
  const [, account, , last] = name.split('/')
  return `${account}/${last}`
}

/** A token's UUID. Throws a Failure of usage. */
export function tokenId(typed: string, account = 'ACCOUNT'): string {
  return idOf(typed, 'token', `porthouse token list ${account} shows it`)
}

/** A connection key or API key of `parent`, by its id. Throws a Failure of usage. */
export function keyResource(
  parent: string,
  collection: 'apiKeys' | 'connectionKeys',
  typed: string,
  hint: string,
): string {
  const id = `${collection}/${idOf(typed, 'key', hint)}`
  return parent === ALL ? id : `${parent}/${id}`
}

/** The last part of a name: `acme` of `accounts/acme`. */
export function idIn(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}

/** In ISO 8601, UTC. */
export function timeOf(time: Timestamp): string {
  return timestampDate(time).toISOString()
}
